using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Storage;

/// <summary>What was rescued.</summary>
/// <param name="From">The folder that it is made of.</param>
/// <param name="Backup">What that had.</param>
/// <param name="Cluster">The id of the new store.</param>
internal sealed record Rescued(string From, BackupInfo Backup, Guid Cluster);

/// <summary>
/// R11: where no majority is left that could heal the others, an operator makes a new store of the best folder that is
/// left. Which one that is follows from what an election does (R2): by the newest view that any of them has accepted,
/// each drops what is no part of its log, and the one with the most uids without a gap is the donor, whose entries all
/// count, known to be committed or not.
/// </summary>
internal static class Rescue
{
    private const string Working = "rescue.partial";
    private const int PartRecords = 512;
    private const int PartBytes = 256 * 1024;

    /// <summary>Makes the data folders of a new store, one for each node; they appear when all of them are whole.
    /// Nothing else stays, and nothing in the folders that it is made of is changed.</summary>
    /// <param name="target">Gets a folder for each node, of its name.</param>
    /// <param name="paths">Data folders that no node uses.</param>
    /// <param name="nodes">The nodes of the new store.</param>
    /// <param name="tell">Takes lines for the operator: what each folder has, which is best, what may be
    /// missing.</param>
    /// <exception cref="BadBackupException">It cannot be done.</exception>
    /// <exception cref="NodeFailedException">A node uses one of the folders.</exception>
    public static Rescued Run(
        string target, IReadOnlyList<string> paths, IReadOnlyList<string> nodes, Action<string> tell)
    {
        if (RescueFolder.IsDataFolder(target))
            throw new BadBackupException($"{target} has data: it is a node's folder itself");
        Backup.CheckTargets(target, nodes);
        var folders = new List<RescueFolder>();
        var isNew = !Directory.Exists(target);
        try
        {
            foreach (var path in paths) folders.Add(RescueFolder.Open(path));
            return Run(target, folders, nodes, tell);
        }
        finally
        {
            foreach (var folder in folders) folder.Dispose();
            var working = Path.Combine(target, Working);
            if (Directory.Exists(working)) Directory.Delete(working, recursive: true);
            if (isNew && Directory.Exists(target) && !Directory.EnumerateFileSystemEntries(target).Any())
                Directory.Delete(target);
        }
    }

    private static Rescued Run(
        string target, List<RescueFolder> folders, IReadOnlyList<string> nodes, Action<string> tell)
    {
        // One replica at a time is in memory, and on the disk a second time: so each is read again when it is needed.
        var working = Path.Combine(target, Working);
        var copy = Path.Combine(working, "copy");
        var found = folders.Select(folder => folder.Read(copy, null).Found).ToArray();
        SeeThatTheyAreOfOneStore(found);
        var (witness, newest) = found.Select(f => (f.Path, f.View)).MaxBy(f => f.View.Epoch);
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i].Replayed < newest.Epoch) found[i] = folders[i].Read(copy, newest).Found;
            tell(found[i].ToString());
            if (found[i].IsOfOtherHistory || found[i].View.Epoch == newest.Epoch && found[i].View.DiffersFrom(newest))
                throw new BadBackupException(
                    $"{found[i].Path} and {witness} know different writes of one epoch: a majority of the folders was "
                    + "once replaced by older copies; decide which of them is to count, and leave the other out");
        }

        var best = found.MaxBy(f => f.Usable)!;
        if (best.Usable == Uid.Zero) throw new BadBackupException("none of the folders has a write that can be used");
        tell($"the best one is {best.Path}: it has all uids up to {best.Usable}");
        foreach (var line in RescueLosses.Lines(found, best, newest)) tell(line);

        var file = Path.Combine(working, "rescued.rkv");
        var core = folders[Array.IndexOf(found, best)].Read(copy, newest).Core!;
        Write(file, core, newest with { Cluster = best.Cluster });
        var (info, cluster) = Backup.Restore(file, target, nodes);
        return new Rescued(best.Path, info, cluster);
    }

    private static void SeeThatTheyAreOfOneStore(RescuedReplica[] found)
    {
        var stores = found.Where(f => f.Cluster != Guid.Empty).DistinctBy(f => f.Cluster).ToArray();
        if (stores.Length > 1)
            throw new BadBackupException(
                $"{stores[0].Path} is of store {stores[0].Cluster:D}, {stores[1].Path} of store {stores[1].Cluster:D}: "
                + "stores are not mixed");
    }

    private static void Write(string path, ReplicaCore core, View view)
    {
        var state = core.State;
        state.ForgetCapture();
        var capture = state.Capture();
        using var file = StoreFile.Open(path);
        file.Take(core.Applied, new StatePart());
        while (capture.Next(PartRecords, PartBytes) is { } part) file.Take(core.Applied, part);
        var totals = new StateTotals(
            capture.Revision, capture.KeyCount, capture.Digest, capture.SessionCount, capture.SessionBytes);
        Backup.Finish(file, new BackupInfo(view.Cluster, core.Applied, totals, view.FrameSize));
    }
}
