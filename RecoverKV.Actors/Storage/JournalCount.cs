using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// R11: how far a journal had come, in 16 bytes beside it: the number of a fact that was durable, and a checksum that
/// binds it to its replica. Written after each commit and never synced, it can only lag behind the journal. So a
/// journal that is behind it has lost its tail, such as a <c>journal.db-wal</c> that was deleted. Not thread-safe.
/// </summary>
/// <param name="path">The file.</param>
internal sealed class JournalCount(string path) : IDisposable
{
    /// <summary>Its name in the data folder.</summary>
    public const string Name = "journal.count";

    private const int Length = 16;
    private readonly byte[] _content = new byte[Length];
    private SafeFileHandle? _file;
    private (string PersistenceId, long Seed) _replica = ("", 0);

    /// <summary>The file of a journal.</summary>
    public static string PathOf(string journal) => Path.Combine(Path.GetDirectoryName(journal)!, Name);

    /// <summary>Makes the file of a journal without facts, on disk when it returns.</summary>
    public static void Create(string path, string persistenceId) => DurableFiles.Write(path, Content(persistenceId, 0));

    /// <summary>The number in the file; null if there is none, or it is another replica's or damaged: then nothing is
    /// known.
    /// </summary>
    public static long? Read(string path, string persistenceId)
    {
        if (!File.Exists(path) || new FileInfo(path).Length != Length) return null;
        var content = File.ReadAllBytes(path);
        if (content.Length != Length) return null;
        var number = BinaryPrimitives.ReadInt64LittleEndian(content);
        return content.AsSpan().SequenceEqual(Content(persistenceId, number)) ? number : null;
    }

    /// <summary>The facts up to this number are durable.</summary>
    public void Write(string persistenceId, long number)
    {
        if (_replica.PersistenceId != persistenceId) _replica = (persistenceId, Seed(persistenceId));
        Fill(_content, _replica.Seed, number);
        try
        {
            _file ??= File.OpenHandle(
                path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.Write(_file, _content, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It lags behind a little longer: the facts are durable all the same.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private static byte[] Content(string persistenceId, long number)
    {
        var content = new byte[Length];
        Fill(content, Seed(persistenceId), number);
        return content;
    }

    private static long Seed(string persistenceId) => (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(persistenceId));

    private static void Fill(byte[] content, long seed, long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(content, number);
        BinaryPrimitives.WriteUInt64LittleEndian(content.AsSpan(8), XxHash3.HashToUInt64(content.AsSpan(0, 8), seed));
    }
}
