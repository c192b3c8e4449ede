using Microsoft.Data.Sqlite;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// Moves what a journal's write-ahead log has grown by into the file, beside the writes. SQLite's own checkpoints are
/// part of a commit, which then takes some twenty times as long, and every write of the cluster waits for it. Used by
/// the writer's thread only.
/// </summary>
/// <remarks>
/// While writes go on, a checkpoint beside them never reaches the end of the log, which would grow for ever. So the
/// rest, little by then, is moved by the writer between two writes; the next one finds nothing left to move and begins
/// the log anew. SQLite keeps what is moved, and when, safe against a crash.
/// </remarks>
/// <param name="writer">The connection that writes, without checkpoints of its own.</param>
/// <param name="connect">Makes another one to the same file.</param>
internal sealed class WriteAheadLog(SqliteConnection writer, Func<SqliteConnection> connect) : IDisposable
{
    /// <summary>About so many bytes of the log are moved at a time.</summary>
    internal const long Interval = 8 * 1024 * 1024;

    /// <summary>A log that grew to this while it was being moved is moved by the writer, however much is left: the disk
    /// cannot do both at this rate.</summary>
    internal const long Most = 8 * Interval;

    private const long Rest = Interval / 8;

    // What a transaction logs beyond its events: pages of the index, of the table's last row, and of the header.
    private const long Overhead = 5 * 4096;

    private SqliteConnection? _beside;
    private Task? _moving;
    private long _logged;
    private long _loggedSince;

    /// <summary>The writer committed a transaction with events of so many bytes.</summary>
    public void Logged(long bytes) => _logged += bytes + Overhead;

    /// <summary>Moves the log if it is time; waits for the disk only if little is left, or too much.</summary>
    public void Run()
    {
        if (_moving is null ? _logged < Interval : !_moving.IsCompleted) return;
        _loggedSince += _logged;
        if (_moving is null || _logged > Rest && _loggedSince < Most)
        {
            _moving = Task.Factory.StartNew(
                () => Move(() => _beside ??= connect()), CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }
        else
        {
            Move(() => writer);
            (_moving, _loggedSince) = (null, 0);
        }

        _logged = 0;
    }

    /// <summary>Lets go of the file.</summary>
    public void Dispose()
    {
        _moving?.Wait();
        _beside?.Dispose();
    }

    private static void Move(Func<SqliteConnection> connection)
    {
        try
        {
            using var command = connection().CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(PASSIVE)";
            command.ExecuteNonQuery();
        }
        catch (SqliteException)
        {
            // As with SQLite's own: nothing is lost, the log is longer, and a disk that is full or broken fails a
            // write.
        }
    }
}
