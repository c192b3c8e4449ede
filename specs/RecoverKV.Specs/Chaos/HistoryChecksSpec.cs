using RecoverKV.Chaos.History;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Specs.Chaos;

/// <summary>Each check of a run's history finds what it is there for, and nothing in a good one.</summary>
public sealed class HistoryChecksSpec
{
    private static HistoryEntry Put(
        int client, long call, long @return, int key, long value, long uid, long before = 0, long seen = 0) =>
        new(
            client, call, @return, Outcome.Applied, uid,
            [new KeyAction(ActionKind.Put, key, value, Observed: before)], [seen]);

    private static HistoryEntry Lost(int client, long call, ActionKind kind, int key, long value = 0) =>
        new(client, call, 0, Outcome.Unknown, 0, [new KeyAction(kind, key, value)], null);

    private static HistoryEntry Get(int client, long call, long @return, int key, long value, long uid) =>
        new(client, call, @return, Outcome.Applied, 0, [new KeyAction(ActionKind.Get, key, Observed: value)], [uid]);

    private static List<string> Wrong(params HistoryEntry[] history) => HistoryChecks.Check(history).Wrong;

    [Fact]
    public void A_good_history_passes() => Assert.Empty(Wrong(
        Put(1, 0, 10, 1, 100, 1), Put(2, 5, 15, 2, 200, 2), Get(3, 16, 20, 1, 100, 1),
        Put(1, 21, 30, 1, 101, 3, before: 100, seen: 1), Get(3, 25, 28, 1, 101, 3)));

    [Fact]
    public void A_stale_read_is_found_by_the_search_and_by_the_uids()
    {
        var wrong = Wrong(
            Put(1, 0, 10, 1, 100, 1), Put(1, 20, 30, 1, 101, 2, before: 100, seen: 1), Get(2, 40, 50, 1, 100, 1));
        Assert.Contains(wrong, w => w.StartsWith("not linearizable", StringComparison.Ordinal));
        Assert.Contains(wrong, w => w.Contains("older than 2", StringComparison.Ordinal));
    }

    [Fact]
    public void A_uid_that_is_given_twice_is_found() =>
        Assert.Contains(
            Wrong(Put(1, 0, 10, 1, 100, 1), Put(2, 0, 10, 2, 200, 1)),
            w => w.StartsWith("uid 1 was given to", StringComparison.Ordinal));

    [Fact]
    public void Uids_against_real_time_are_found_across_keys() =>
        Assert.Contains(
            Wrong(Put(1, 0, 10, 1, 100, 2), Put(2, 20, 30, 2, 200, 1)),
            w => w.Contains("when 2 had been answered", StringComparison.Ordinal));

    [Fact]
    public void A_write_without_an_answer_may_have_happened_or_not()
    {
        Assert.Empty(Wrong(Put(1, 0, 10, 1, 100, 1), Lost(2, 5, ActionKind.Put, 1, 200), Get(1, 20, 30, 1, 100, 1)));
        Assert.Empty(Wrong(Put(1, 0, 10, 1, 100, 1), Lost(2, 5, ActionKind.Put, 1, 200), Get(1, 20, 30, 1, 200, 2)));
        Assert.NotEmpty(
            Wrong(Put(1, 0, 10, 1, 100, 1), Lost(2, 25, ActionKind.Put, 1, 200), Get(1, 15, 20, 1, 200, 2)));
    }

    [Fact]
    public void A_dump_shows_a_lost_write()
    {
        HistoryEntry[] history = [Put(1, 0, 10, 1, 100, 1), Put(1, 20, 30, 1, 101, 2, before: 100, seen: 1)];
        var good = new Dictionary<int, long> { [1] = 101 };
        var old = new Dictionary<int, long> { [1] = 100 };
        var empty = new Dictionary<int, long>();
        Assert.Empty(Dump.Missing(history, good));
        Assert.Single(Dump.Missing(history, old));
        Assert.Single(Dump.Missing(history, empty));
        Assert.Empty(Wrong([.. history, .. Dump.AsReads(history, good, 40, 50)]));
        Assert.NotEmpty(Wrong([.. history, .. Dump.AsReads(history, old, 40, 50)]));
        Assert.NotEmpty(Wrong([.. history, .. Dump.AsReads(history, empty, 40, 50)]));
    }

    [Fact]
    public void A_dump_may_show_a_write_without_an_answer()
    {
        HistoryEntry[] put = [Put(1, 0, 10, 1, 100, 1), Lost(2, 20, ActionKind.Put, 1, 200)];
        Assert.Empty(Dump.Missing(put, new Dictionary<int, long> { [1] = 200 }));
        HistoryEntry[] delete = [Put(1, 0, 10, 1, 100, 1), Lost(2, 20, ActionKind.Delete, 1)];
        Assert.Empty(Dump.Missing(delete, new Dictionary<int, long>()));
        Assert.Single(Dump.Missing(put, new Dictionary<int, long>()));
    }
}
