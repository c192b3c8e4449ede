using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Specs.Simulation;

/// <summary>The checker on histories whose verdict is known.</summary>
public class LinearizabilityCheckerSpec
{
    private static Operation Put(int client, long call, long end, long value, long was, int key = 0) =>
        new(client, call, end, Outcome.Applied, [new(ActionKind.Put, key, value, Observed: was)]);

    private static Operation Get(int client, long call, long end, long seen, int key = 0) =>
        new(client, call, end, Outcome.Applied, [new(ActionKind.Get, key, Observed: seen)]);

    private static Operation Lost(int client, long call, params KeyAction[] actions) =>
        new(client, call, Operation.Never, Outcome.Unknown, actions);

    private static VerdictKind Verdict(params Operation[] history) => Checker.Check(history).Kind;

    [Fact]
    public void Nothing_is_linearizable() => Assert.Equal(VerdictKind.Linearizable, Verdict());

    [Fact]
    public void A_read_after_a_write_sees_it()
    {
        Assert.Equal(VerdictKind.Linearizable, Verdict(Put(1, 1, 2, 10, 0), Get(2, 3, 4, 10)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(Put(1, 1, 2, 10, 0), Get(2, 3, 4, 0)));
    }

    [Fact]
    public void A_read_beside_a_write_sees_either_state()
    {
        Assert.Equal(VerdictKind.Linearizable, Verdict(Put(1, 1, 4, 10, 0), Get(2, 2, 3, 10)));
        Assert.Equal(VerdictKind.Linearizable, Verdict(Put(1, 1, 4, 10, 0), Get(2, 2, 3, 0)));
    }

    [Fact]
    public void Reads_do_not_go_back_in_time()
    {
        Assert.Equal(VerdictKind.NotLinearizable,
            Verdict(Put(1, 1, 9, 10, 0), Get(2, 2, 3, 10), Get(3, 4, 5, 0)));
        Assert.Equal(VerdictKind.Linearizable,
            Verdict(Put(1, 1, 9, 10, 0), Get(2, 2, 5, 10), Get(3, 4, 6, 0)));
    }

    [Fact]
    public void A_write_must_tell_what_it_replaced()
    {
        Assert.Equal(VerdictKind.Linearizable, Verdict(Put(1, 1, 2, 10, 0), Put(2, 3, 4, 20, 10)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(Put(1, 1, 2, 10, 0), Put(2, 3, 4, 20, 0)));
    }

    [Fact]
    public void A_write_that_was_not_told_what_it_replaced_fits_any_value_but_not_any_condition()
    {
        Assert.Equal(VerdictKind.Linearizable, Verdict(Put(1, 1, 2, 10, 0), Put(2, 3, 4, 20, KeyAction.NotTold)));
        Operation Swap(Outcome outcome, long from) =>
            new(2, 5, 6, outcome, [new(ActionKind.Put, 0, 20, from, KeyAction.NotTold)]);
        Assert.Equal(VerdictKind.Linearizable, Verdict(Put(1, 1, 2, 10, 0), Swap(Outcome.Applied, 10)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(Put(1, 1, 2, 10, 0), Swap(Outcome.Applied, 0)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(Put(1, 1, 2, 10, 0), Swap(Outcome.Refused, 10)));
        // Another value, of a write that nobody heard of again.
        Assert.Equal(VerdictKind.Linearizable,
            Verdict(Put(1, 1, 2, 10, 0), Lost(3, 3, new KeyAction(ActionKind.Put, 0, 30)), Swap(Outcome.Refused, 10)));
    }

    [Fact]
    public void A_lost_update_is_found()
    {
        Operation Swap(int client, long call, long end, long to, long from) =>
            new(client, call, end, Outcome.Applied, [new(ActionKind.Put, 0, to, from, from)]);
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(Swap(1, 1, 4, 10, 0), Swap(2, 2, 3, 20, 0)));
        Assert.Equal(VerdictKind.Linearizable, Verdict(Swap(1, 1, 4, 10, 0), Swap(2, 2, 3, 20, 10)));
    }

    [Fact]
    public void A_refused_condition_must_not_hold()
    {
        Operation Refused(long expected, long seen) =>
            new(2, 3, 4, Outcome.Refused, [new(ActionKind.Put, 0, 20, expected, seen)]);
        Assert.Equal(VerdictKind.Linearizable, Verdict(Put(1, 1, 2, 10, 0), Refused(0, 10), Get(3, 5, 6, 10)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(Put(1, 1, 2, 10, 0), Refused(10, 10)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(Put(1, 1, 2, 10, 0), Refused(0, 10), Get(3, 5, 6, 20)));
    }

    [Fact]
    public void An_unknown_write_may_take_effect_late_or_never_but_once()
    {
        var put = Lost(1, 1, new KeyAction(ActionKind.Put, 0, 10));
        Assert.Equal(VerdictKind.Linearizable, Verdict(put, Get(2, 2, 3, 0)));
        Assert.Equal(VerdictKind.Linearizable, Verdict(put, Get(2, 2, 3, 0), Get(2, 8, 9, 10)));
        Assert.Equal(VerdictKind.NotLinearizable,
            Verdict(put, Get(2, 2, 3, 10), Put(2, 4, 5, 20, 10), Get(2, 8, 9, 10)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(Lost(1, 5, put.Actions), Get(2, 2, 3, 10)));
    }

    [Fact]
    public void An_unknown_delete_is_used_where_it_is_needed()
    {
        var delete = Lost(1, 3, new KeyAction(ActionKind.Delete, 0));
        Assert.Equal(VerdictKind.Linearizable, Verdict(Put(2, 1, 2, 10, 0), delete, Get(2, 4, 5, 10)));
        Assert.Equal(VerdictKind.Linearizable,
            Verdict(Put(2, 1, 2, 10, 0), delete, Get(2, 4, 5, 10), Get(2, 6, 7, 0)));
        Assert.Equal(VerdictKind.NotLinearizable,
            Verdict(Put(2, 1, 2, 10, 0), delete, Get(2, 4, 5, 0), Put(2, 6, 7, 20, 0), Get(2, 8, 9, 0)));
    }

    [Fact]
    public void An_atomic_write_is_seen_whole()
    {
        var write = new Operation(1, 1, 9, Outcome.Applied,
            [new(ActionKind.Put, 0, 10), new(ActionKind.Put, 1, 11)]);
        Operation Both(long call, long end, long first, long second) => new(2, call, end, Outcome.Applied,
            [new(ActionKind.Get, 0, Observed: first), new(ActionKind.Get, 1, Observed: second)]);
        Assert.Equal(VerdictKind.Linearizable, Verdict(write, Both(2, 3, 0, 0), Both(4, 5, 10, 11)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(write, Both(2, 3, 10, 0)));
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(write, Get(2, 2, 3, 10), Get(3, 4, 5, 0, key: 1)));
    }

    [Fact]
    public void Keys_fail_apart_and_the_smallest_failure_is_shown_up_to_its_moment()
    {
        List<Operation> history =
        [
            Put(1, 1, 2, 10, 0), Get(1, 3, 4, 10), Get(1, 5, 6, 10), Get(1, 7, 8, 0), Get(1, 9, 10, 10),
            Put(2, 1, 2, 11, 0, key: 1), Get(2, 3, 4, 0, key: 1), Get(2, 5, 6, 11, key: 1),
        ];
        var verdict = Checker.Check(history);
        Assert.Equal(VerdictKind.NotLinearizable, verdict.Kind);
        Assert.Equal([1], verdict.Keys);
        Assert.Equal(2, verdict.Operations.Count);
        Assert.Single(verdict.Longest);
    }

    [Fact]
    public void A_search_without_end_is_given_up_as_undecided()
    {
        var puts = Enumerable.Range(1, 14).Select(i => Put(i, 1, 100, i, 99)).ToArray();
        Assert.Equal(VerdictKind.NotLinearizable, Verdict(puts));
        var gets = Enumerable.Range(1, 14).Select(i => Put(i, 1, 100, i, i - 1)).Append(Get(20, 1, 100, 99)).ToArray();
        Assert.Equal(VerdictKind.Undecided, Checker.Check(gets, maxStates: 5).Kind);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Generated_histories_are_linearizable(bool multiKey)
    {
        for (ulong seed = 1; seed <= 150; seed++)
        {
            var history = HistoryMaker.Linearizable(seed, 150, 1 + (int)(seed % 4), 2 + (int)(seed % 7), multiKey, 0.1);
            var verdict = Checker.Check(history);
            Assert.True(verdict.Kind == VerdictKind.Linearizable, $"seed {seed}: {verdict}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Generated_histories_with_one_answer_changed_mostly_are_not(bool multiKey)
    {
        var found = 0;
        for (ulong seed = 1; seed <= 150; seed++)
        {
            var history = HistoryMaker.Linearizable(seed, 150, 1 + (int)(seed % 4), 2 + (int)(seed % 7), multiKey, 0.1);
            if (Checker.Check(HistoryMaker.Mutate(seed, history)).Kind == VerdictKind.NotLinearizable) found++;
        }

        Assert.InRange(found, 130, 150);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 0.15)]
    [InlineData(true, 0)]
    [InlineData(true, 0.15)]
    public void Generated_histories_with_an_answer_that_nobody_can_have_got_are_refused_up_to_its_moment(
        bool multiKey, double unknown)
    {
        for (ulong seed = 1; seed <= 150; seed++)
        {
            var history = HistoryMaker.Linearizable(
                seed, 120, 1 + (int)(seed % 4), 2 + (int)(seed % 7), multiKey, unknown);
            var verdict = Checker.Check(HistoryMaker.Spoil(seed, history, out var spoiled));
            Assert.True(verdict.Kind == VerdictKind.NotLinearizable, $"seed {seed}: {verdict}");
            Assert.Contains(spoiled, verdict.Operations);
            Assert.Equal(spoiled.Return, verdict.Operations.Where(o => o.Return != Operation.Never).Max(o => o.Return));
            if (!multiKey) Assert.Equal([spoiled.Actions[0].Key], verdict.Keys);
        }
    }

    [Fact]
    public void Of_several_keys_that_fail_the_one_with_the_fewest_operations_is_reported()
    {
        for (ulong seed = 1; seed <= 30; seed++)
        {
            // The same history under other keys, cut shorter and shorter.
            var whole = HistoryMaker.Spoil(
                seed, HistoryMaker.Linearizable(seed, 40, 1, 3, multiKey: false, 0.1), out var spoiled);
            var history = new List<Operation>();
            for (var key = 0; key < 4; key++)
            {
                var from = history.Count;
                var own = whole.Where(o => o.Call <= spoiled.Return)
                    .Concat(whole.Where(o => o.Call > spoiled.Return).Skip(key));
                history.AddRange(
                    own.Select(o => o with { Actions = [.. o.Actions.Select(a => a with { Key = key })] }));
                // The last key has no failure, and fewer operations than all others.
                if (key == 3) history.RemoveRange(from + 1, history.Count - from - 1);
            }

            var sizes = Enumerable.Range(0, 3).Select(k => history.Count(o => o.Actions[0].Key == k)).ToList();
            var verdict = Checker.Check(history);
            Assert.Equal(VerdictKind.NotLinearizable, verdict.Kind);
            Assert.Equal(sizes.Min(), sizes[Assert.Single(verdict.Keys)]);
            Assert.All(verdict.Operations, o => Assert.Equal(verdict.Keys[0], o.Actions[0].Key));
        }
    }
}
