using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Specs.Simulation;

/// <summary>A given order of a history, checked without a search.</summary>
public class WitnessSpec
{
    private static Operation Put(
        long call, long end, long value, long was, long? expected = null, Outcome outcome = Outcome.Applied) =>
        new(1, call, end, outcome, [new(ActionKind.Put, 0, value, expected, was)]);

    private static Operation Get(long call, long end, long seen) =>
        new(2, call, end, Outcome.Applied, [new(ActionKind.Get, 0, Observed: seen)]);

    private static Operation Lost(long call, params KeyAction[] actions) =>
        new(3, call, Operation.Never, Outcome.Unknown, actions);

    private static bool Explains(params Operation[] order) => Witness.Explains(order);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_order_that_made_a_history_explains_it_and_no_history_that_differs_in_an_answer(bool multiKey)
    {
        for (ulong seed = 1; seed <= 150; seed++)
        {
            var history = HistoryMaker.Linearizable(
                seed, 150, 1 + (int)(seed % 4), 2 + (int)(seed % 7), multiKey, unknown: 0);
            Assert.True(Witness.Explains(history), $"seed {seed}");
            Assert.False(Witness.Explains(HistoryMaker.Spoil(seed, history, out _)), $"seed {seed}, spoiled");
        }
    }

    [Fact]
    public void An_order_against_real_time_explains_nothing()
    {
        Operation first = Get(1, 2, 0), second = Get(3, 4, 0), beside = Get(2, 5, 0);
        Assert.True(Explains(first, second));
        Assert.False(Explains(second, first));
        Assert.True(Explains(first, beside, second));
        Assert.True(Explains(beside, first, second));
        Assert.True(Explains(first, second, beside));
        // Not only of neighbours.
        Assert.False(Explains(second, beside, first));
    }

    [Fact]
    public void Every_answer_must_be_that_of_its_place()
    {
        Assert.True(Explains(Put(1, 4, 10, 0), Get(1, 4, 10)));
        Assert.False(Explains(Get(1, 4, 10), Put(1, 4, 10, 0)));
        Assert.False(Explains(Put(1, 4, 10, 0), Put(1, 4, 20, 0)));
        Assert.True(Explains(
            Put(1, 4, 10, 0),
            new Operation(2, 1, 4, Outcome.Applied, [new(ActionKind.Delete, 0, Observed: 10)]), Get(1, 4, 0)));
    }

    [Fact]
    public void What_was_done_must_meet_its_condition_and_what_was_refused_must_not()
    {
        Assert.True(Explains(Put(1, 2, 10, 0), Put(3, 4, 20, was: 10, expected: 10), Get(5, 6, 20)));
        Assert.False(Explains(Put(1, 2, 10, 0), Put(3, 4, 20, was: 10, expected: 0), Get(5, 6, 20)));
        Assert.True(Explains(Put(1, 2, 10, 0), Put(3, 4, 20, was: 10, expected: 0, Outcome.Refused), Get(5, 6, 10)));
        Assert.False(Explains(Put(1, 2, 10, 0), Put(3, 4, 20, was: 10, expected: 10, Outcome.Refused), Get(5, 6, 10)));
        Assert.False(Explains(Put(1, 2, 10, 0), Put(3, 4, 20, was: 10, expected: 0, Outcome.Refused), Get(5, 6, 20)));
    }

    [Fact]
    public void An_operation_of_several_keys_is_done_as_a_whole()
    {
        Operation Both(long? expected, Outcome outcome) => new(1, 3, 4, outcome,
            [new(ActionKind.Put, 0, 20, expected, 10), new(ActionKind.Put, 1, 21)]);
        Operation Other(long seen) => new(2, 5, 6, Outcome.Applied, [new(ActionKind.Get, 1, Observed: seen)]);
        Assert.True(Explains(Put(1, 2, 10, 0), Both(10, Outcome.Applied), Other(21)));
        Assert.False(Explains(Put(1, 2, 10, 0), Both(10, Outcome.Applied), Other(0)));
        Assert.True(Explains(Put(1, 2, 10, 0), Both(7, Outcome.Refused), Other(0)));
        Assert.False(Explains(Put(1, 2, 10, 0), Both(7, Outcome.Refused), Other(21)));
    }

    [Fact]
    public void An_operation_without_an_answer_takes_effect_where_the_order_has_it()
    {
        var put = Lost(1, new KeyAction(ActionKind.Put, 0, 10));
        Assert.True(Explains(put, Get(2, 3, 10)));
        Assert.True(Explains(Get(2, 3, 0), put, Get(4, 5, 10)));
        Assert.True(Explains(Get(2, 3, 0)));
        Assert.False(Explains(Get(2, 3, 0), put, Get(4, 5, 0)));
        Assert.False(Explains(Lost(4, put.Actions), Get(2, 3, 10)));
        var ifAbsent = Lost(1, new KeyAction(ActionKind.Put, 0, 10, Expected: 0));
        Assert.True(Explains(Put(1, 2, 20, 0), ifAbsent, Get(3, 4, 20)));
    }
}
