using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Storage;

/// <summary>R11: what a rescue may lack, by what all folders together know.</summary>
internal static class RescueLosses
{
    /// <summary>What is known to be missing, and what cannot be known: one line each.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<RescuedReplica> all, RescuedReplica best, View newest)
    {
        string[] known = [.. Known(all, best, newest)];
        string[] unknown = [.. Unknown(all, best, newest)];
        if (known.Length + unknown.Length == 0)
            return ["nothing is missing that was acknowledged (an older copy of a whole folder would not show)"];
        return known.Length > 0 ? [.. known, .. unknown] : ["nothing is known to be missing", .. unknown];
    }

    private static IEnumerable<string> Known(IReadOnlyList<RescuedReplica> all, RescuedReplica best, View newest)
    {
        var had = best.Usable;
        var told = all.MaxBy(f => f.Committed)!;
        if (told.Committed > had)
        {
            yield return $"{told.Path} knows that uids up to {told.Committed} were committed; the best folder has them "
                + $"up to {had}: {told.Committed - had} writes are missing";
            had = told.Committed;
        }

        if (newest.FirstUid.Previous > had)
        {
            yield return $"view {newest.Epoch} began with uids up to {newest.FirstUid.Previous}, the best folder has "
                + $"them up to {best.Usable}: those behind may have been acknowledged, and are missing";
            had = newest.FirstUid.Previous;
        }

        // What others than the newest view's members had behind was no part of its log, and was never acknowledged.
        var more = all.Where(f => f.View.Epoch == newest.Epoch).MaxBy(f => f.Highest);
        if (more?.Highest > had)
            yield return $"{more.Path} had uids up to {more.Highest}, and those behind {had} cannot be used: they may "
                + "have been acknowledged, and are missing";
        var promised = all.MaxBy(f => f.Promised)!;
        if (promised.Promised > newest.Epoch)
            yield return $"{promised.Path} has promised epoch {promised.Promised}: if there was such a view, what was "
                + "written in it is missing";
    }

    private static IEnumerable<string> Unknown(IReadOnlyList<RescuedReplica> all, RescuedReplica best, View newest)
    {
        var whole = newest.Members.Where(m => all.Any(f => f.IsWhole && f.Member == m)).ToArray();
        // Whatever an in-sync member acknowledged is on its disk; and a later view needs the promises of a majority.
        if (!whole.Any(newest.IsInSync))
            yield return $"no in-sync member of view {newest.Epoch} ({Names(newest.InSync)}) is here with a whole "
                + $"folder: more may have been acknowledged behind uid {best.Usable}, and is missing then";
        var lacking = newest.Members.Length - newest.Majority + 1 - whole.Length;
        var others = newest.Members.Except(whole).Select(m => m.Node);
        if (lacking > 0)
            yield return $"what cannot be known: whether there was a later view than {newest.Epoch}, with writes that "
                + $"are missing here; whole folders of {lacking} more of {Names(others)} would tell";
    }

    private static string Names(IEnumerable<NodeId> nodes) => string.Join(", ", nodes);
}
