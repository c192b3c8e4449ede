using RecoverKV.Actors.Storage;

namespace RecoverKV.Host.Shell;

/// <summary>The lines that were typed before, kept in a file of the user's. Used by one thread.</summary>
internal sealed class History
{
    private const int Kept = 1000;

    private readonly string _file;
    private readonly Action<string> _warn;
    private readonly List<string> _lines = [];

    /// <summary>Reads the file, if it is there.</summary>
    /// <param name="file">The file.</param>
    /// <param name="warn">Told when it cannot be read or written; the shell works without it.</param>
    public History(string file, Action<string> warn)
    {
        _file = file;
        _warn = warn;
        Guarded(() =>
        {
            if (File.Exists(_file)) _lines.AddRange(File.ReadLines(_file).TakeLast(Kept));
        });
    }

    /// <summary>The lines, oldest first.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>Where a user's history is, <c>~/.local/share/recoverkv/history</c> on Linux.</summary>
    public static string DefaultFile => Path.Combine(
        Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "recoverkv", "history");

    /// <summary>Adds a line, unless it is empty or the same as the one before.</summary>
    public void Add(string line)
    {
        if (line.Length == 0 || (_lines.Count > 0 && _lines[^1] == line)) return;
        _lines.Add(line);
        if (_lines.Count > Kept) _lines.RemoveAt(0);
        Guarded(Save);
    }

    /// <summary>Values may be private: nobody else may read the file.</summary>
    private void Save()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
        using var writer = PrivateFile.Open(_file, FileMode.Create);
        foreach (var line in _lines) writer.WriteLine(line);
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _warn($"the history is not kept: {Failures.OneLine(e.Message)}");
        }
    }
}
