using System.Globalization;
using System.Text;

namespace RecoverKV.Host.LocalCluster;

/// <summary>
/// The file that keeps what a node prints. Where it cannot be written (its disk is full, its folder gone), that is said
/// once, the lines are counted and dropped, and it is tried again with later ones. Never fails. Thread-safe.
/// </summary>
/// <param name="file">Its path.</param>
/// <param name="name">What to call the node in notices.</param>
/// <param name="notice">Told when it cannot be written, and when it can again.</param>
internal sealed class NodeLog(string file, string name, Action<string> notice)
{
    private const long Longest = 16 * 1024 * 1024;
    private const long RetryMilliseconds = 1000;

    private readonly Lock _lock = new();
    private FileStream? _stream;
    private bool _closed = true;
    private bool _torn;
    private long _missing;
    private long _retryAt;

    /// <summary>Begins anew: the file may have been taken away, or have become too long.</summary>
    public void Open()
    {
        lock (_lock)
        {
            Release();
            _closed = false;
        }
    }

    /// <summary>Lets go of the file; later lines are of no use any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            Release();
            _closed = true;
        }
    }

    /// <summary>Adds a line.</summary>
    public void Write(string line)
    {
        lock (_lock)
        {
            if (_closed) return;
            if (_missing > 0 && Environment.TickCount64 < _retryAt)
            {
                _missing++;
                return;
            }

            try
            {
                _stream ??= OpenFile();
                var bytes = Encoding.UTF8.GetBytes($"{(_torn ? "\n" : "")}{line}\n");
                // A full disk may take a part of it.
                _torn = true;
                _stream.Write(bytes);
                _torn = false;
                if (_missing == 0) return;
                notice(string.Create(
                    CultureInfo.InvariantCulture, $"{name}: its log is written again, without {_missing} lines"));
                _missing = 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Release();
                _retryAt = Environment.TickCount64 + RetryMilliseconds;
                if (_missing++ == 0)
                    notice($"{name}: its log cannot be written: {Failures.OneLine(e.Message)}; it runs on without");
            }
        }
    }

    private FileStream OpenFile()
    {
        if (new FileInfo(file) is { Exists: true, Length: > Longest }) File.Move(file, file + ".1", overwrite: true);
        return new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }

    private void Release()
    {
        _stream?.Dispose();
        _stream = null;
    }
}
