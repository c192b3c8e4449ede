using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Simulation.Cluster;

/// <summary>Messages and facts in a form that fits a line of a trace.</summary>
internal static class Words
{
    public static string Of(object? detail) => detail switch
    {
        null => "",
        Append m => $"Append e{m.Epoch} {Of(m.Batch)} committed {m.Committed}",
        Entries m => $"Entries e{m.Epoch} #{m.Id} {string.Join(' ', m.Batches.Select(Of))}",
        FetchState m => $"FetchState e{m.Epoch} #{m.Id} at {m.At}{(m.After is null ? "" : ", what follows")}",
        StatePage m => $"StatePage e{m.Epoch} #{m.Id} "
            + (m.Chunk is { } c
                ? $"{c.Part.Keys.Count} keys {c.Part.Sessions.Count} sessions{(c.Next is null ? " last" : "")}"
                : "gone"),
        InstallView m => $"InstallView {Of(m.View)}",
        Promise m => $"Promise e{m.Epoch} contiguous {m.Contiguous} committed {m.Committed}, has {Of(m.View)}",
        Synchronize m => $"Synchronize e{m.Epoch} to {m.Target} of {m.Donor}, base {Of(m.Base)}",
        ViewAccepted f => $"ViewAccepted {Of(f.View)} dropped [{string.Join(' ', f.Dropped)}] committed {f.Committed}",
        EntriesAppended f => $"EntriesAppended {Of(f.Batch)} committed {f.Committed}",
        OrphansDropped f => $"OrphansDropped [{string.Join(' ', f.Dropped)}]",
        View v => $"{v} members {string.Join(' ', v.Members)} history "
            + string.Join(' ', v.History.Select(t => $"e{t.Epoch}@{t.FirstUid}")),
        Batch b => $"{b.First}..{b.Last}/e{b.Epoch} ({string.Join(' ', b.Requests.Select(Of))})",
        WriteRequest r => r.Session == 0 ? $"open {r.Number:x}" : $"s{r.Session}#{r.Number} from {r.LowWater}",
        WriteAnswer a => $"s{a.Session}#{a.Number:x} {a.Status} uid {a.Uid} "
            + $"was {(a.PreviousOmitted ? "omitted" : Versions(a.Previous))}",
        ReadAnswer a => $"read {a.Id} {a.Status} {Versions(a.Versions)} age {a.AgeMilliseconds}",
        _ => detail.ToString() ?? "",
    };

    private static string Versions(IEnumerable<Client.Contracts.Version?> versions) =>
        $"[{string.Join(' ', versions.Select(v => v is null ? "-" : $"{Values.Id(v.Value)}@{v.Uid}"))}]";
}
