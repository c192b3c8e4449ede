using System.Text.Json;

namespace RecoverKV.Chaos.History;

/// <summary>
/// A history on disk: JSON lines, the first naming the format, the last the number of operations, so that a file that
/// was cut off is recognised.
/// </summary>
public static class HistoryFile
{
    private const string Format = "recoverkv-history-1";

    private sealed record Mark(string? Format = null, long? End = null);

    /// <summary>Writes a history as it happens. Thread-safe.</summary>
    public sealed class Writer : IDisposable
    {
        private readonly StreamWriter _file;
        private long _count;

        public Writer(string path)
        {
            _file = new StreamWriter(path);
            _file.WriteLine(JsonSerializer.Serialize(new Mark(Format)));
        }

        public void Add(HistoryEntry entry)
        {
            var line = JsonSerializer.Serialize(entry);
            lock (_file)
            {
                _file.WriteLine(line);
                _count++;
            }
        }

        /// <summary>The history is complete.</summary>
        public void End()
        {
            lock (_file)
            {
                _file.WriteLine(JsonSerializer.Serialize(new Mark(End: _count)));
                _file.Flush();
            }
        }

        public void Dispose() => _file.Dispose();
    }

    /// <summary>Reads a complete history.</summary>
    /// <exception cref="InvalidDataException">It is none, or was cut off.</exception>
    public static List<HistoryEntry> Read(string path)
    {
        var entries = new List<HistoryEntry>();
        long? end = null;
        var number = 0L;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (end is not null) throw new InvalidDataException($"{path}: line {number} comes after the end");
            if (number == 1)
            {
                if (Parse<Mark>(path, number, line).Format != Format)
                    throw new InvalidDataException($"{path} is no history: its first line does not say {Format}");
            }
            else if (line.Contains("\"End\":", StringComparison.Ordinal)) end = Parse<Mark>(path, number, line).End;
            else entries.Add(Parse<HistoryEntry>(path, number, line));
        }

        if (end is null) throw new InvalidDataException($"{path} was cut off: its last line does not end the history");
        if (end != entries.Count)
            throw new InvalidDataException($"{path} is not whole: {entries.Count} operations of {end}");
        return entries;
    }

    private static T Parse<T>(string path, long number, string line)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new InvalidDataException($"{path}: line {number} cannot be read: the file was cut off or changed");
        }
    }
}
