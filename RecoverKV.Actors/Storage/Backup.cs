using Akka.Persistence;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Storage;

/// <summary>What a backup has.</summary>
/// <param name="Cluster">R12: the store that it was made of.</param>
/// <param name="At">The uid that it shows.</param>
/// <param name="Totals">Revision, keys, sessions, digest.</param>
/// <param name="FrameSize">The largest message of that store, in bytes: the nodes of a new one need as much.</param>
internal sealed record BackupInfo(Guid Cluster, Uid At, StateTotals Totals, int FrameSize);

/// <summary>A file that is no backup, or no whole one; the message is one line.</summary>
internal sealed class BadBackupException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// R10: backups are checkpoints in a file of the same form, <see cref="StoreFile"/>, without a replica. Restored, one
/// is the state of a store with an id of its own, whose first view all nodes have accepted and whose log has forgotten
/// what the state has.
/// </summary>
internal static class Backup
{
    private const string Replica = "backup";

    // Entries of the restored store begin in a view of their own.
    private static readonly Epoch First = new(1);

    /// <summary>All parts are in the file: it is whole from now on.</summary>
    /// <exception cref="BadBackupException">They are not what was promised.</exception>
    public static BackupInfo Finish(StoreFile file, BackupInfo info)
    {
        if (info.Totals.Differs(file.Sum()) is { } wrong)
            throw new BadBackupException($"{wrong} than promised have come");
        file.FinishIncoming(Head(Replica, info.Cluster, info.Totals, LogBase.None with
        {
            Applied = info.At,
            Committed = info.At,
            View = View.None with { FrameSize = info.FrameSize },
        }));
        file.MakeSingle();
        return info;
    }

    /// <summary>Reads all of a backup.</summary>
    /// <exception cref="BadBackupException">It is damaged, not whole, of a newer form, or no backup.</exception>
    public static BackupInfo Verify(string path)
    {
        if (!File.Exists(path)) throw new BadBackupException($"{path}: there is no such file");
        try
        {
            using var connection = StoreReader.OpenForReading(path, SqliteOpenMode.ReadOnly);
            if (JournalFile.Scalar(connection, "PRAGMA application_id") is not (long)StoreFile.ApplicationId)
                throw new BadBackupException($"{path} is no backup");
            if (StoreReader.IncomingOf(connection) is not null || StoreHead.Read(connection) is not { } head)
                throw new BadBackupException($"{path} is not whole: the backup was not finished");
            if (head.Replica != Replica)
                throw new BadBackupException(
                    $"{path} is the checkpoint of {head.Replica}, and no backup: `recoverkv backup` makes one");
            if (JournalFile.Scalar(connection, "PRAGMA quick_check(1)") is var check and not "ok")
                throw new BadBackupException($"{path} is damaged: {check}");
            if (head.Totals.Differs(StoreReader.Sum(connection)) is { } wrong)
                throw new BadBackupException($"{path} is damaged: it has {wrong} than it was written with");
            return new BackupInfo(head.Cluster, head.Base.Applied, head.Totals, head.Base.View.FrameSize);
        }
        catch (Exception e) when (e is SqliteException or FormatException or InvalidCastException
            or IOException or UnauthorizedAccessException)
        {
            throw new BadBackupException(
                e is OtherFormException
                    ? $"{path} is of another build: {e.Message}"
                    : $"{path} is damaged, or no backup: {e.OneLine()}",
                e);
        }
    }

    /// <summary>Makes the data folders of a new store of a backup, one for each node; they appear when all of them are
    /// whole.</summary>
    /// <param name="path">The backup.</param>
    /// <param name="folder">Gets a folder for each node, of its name.</param>
    /// <param name="nodes">The nodes, in the order of the configuration that they will have.</param>
    /// <returns>The backup, and the id of the new store.</returns>
    /// <exception cref="BadBackupException">It cannot be used, or one of the folders has data.</exception>
    public static (BackupInfo Backup, Guid Cluster) Restore(string path, string folder, IReadOnlyList<string> nodes)
    {
        var info = Verify(path);
        CheckTargets(folder, nodes);
        var cluster = Guid.NewGuid();
        MemberId[] members = [.. nodes.Select(n => new MemberId(new NodeId(n), Guid.NewGuid()))];
        var view = new View
        {
            Epoch = First,
            Sequencer = members[0].Node,
            Members = members,
            InSync = [.. members.Select(m => m.Node)],
            FirstUid = info.At.Next,
            History = [new Tenure(First, info.At.Next)],
            TrimmedAt = First,
            Cluster = cluster,
            Lease = TimeSpan.FromSeconds(1),
            FrameSize = info.FrameSize,
        };
        var made = new List<(string From, string To)>();
        try
        {
            foreach (var member in members)
            {
                var target = Path.Combine(folder, member.Node.Name);
                var temporary = target + ".restoring";
                if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
                made.Add((temporary, target));
                Restore(path, temporary, member, view, info);
            }

            foreach (var (from, to) in made)
            {
                if (Directory.Exists(to)) Directory.Delete(to);
                Directory.Move(from, to);
            }

            DurableFiles.FlushFolder(folder);
            return (info, cluster);
        }
        catch
        {
            foreach (var (from, _) in made.Where(m => Directory.Exists(m.From)))
                Directory.Delete(from, recursive: true);
            throw;
        }
    }

    /// <summary>Whether the folders of a new store can be made there.</summary>
    /// <exception cref="BadBackupException">One of them has data.</exception>
    public static void CheckTargets(string folder, IReadOnlyList<string> nodes)
    {
        foreach (var node in nodes)
        {
            var target = Path.Combine(folder, node);
            if (File.Exists(target) || Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
                throw new BadBackupException($"{target} has data: a new store is made in new folders");
        }
    }

    private static void Restore(string path, string folder, MemberId member, View view, BackupInfo info)
    {
        DurableFiles.CreateFolder(folder);
        var (id, store, journal) = (
            DataFolder.PersistenceIdOf(member), Path.Combine(folder, StoreFile.Name),
            Path.Combine(folder, JournalFile.Name));
        // As a new file: the backup may be read-only.
        using (var from = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read))
        using (var to = new FileStream(store, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            from.CopyTo(to);
        // Promise and view of all nodes, as if they had made the store together.
        var promised = new Promised(First, view.Sequencer);
        Fact[] facts = [promised, new ViewAccepted(view, [], info.At)];
        using (var file = StoreFile.Open(store))
        {
            file.Begin(all: false);
            file.Finish(Head(id, view.Cluster, info.Totals, new LogBase(
                info.At, facts.Length, facts.Length + 1, info.At, [], promised, view,
                info.At, info.At, info.At, info.At)));
        }

        JournalFile.Create(journal);
        using (var table = new JournalTable(JournalFile.ConnectForWriting(journal, Durability.Full, "")))
        {
            table.Append([.. facts.Select((fact, i) => new Persistent(fact, i + 1, id, "", false, null, "restore"))]);
            // Without its checkpoint it is of no use.
            table.MayForget(id, facts.Length, info.At.Value);
        }

        using (var count = new JournalCount(JournalCount.PathOf(journal))) count.Write(id, facts.Length);
        DurableFiles.Write(Path.Combine(folder, DataFolder.IdentityName), new Identity(member, view.Cluster).Text);
    }

    private static StoreHead Head(string replica, Guid cluster, StateTotals totals, LogBase from) => new(
        replica, cluster, totals.Revision, totals.Keys, totals.Digest, totals.Sessions, totals.SessionBytes, from);
}
