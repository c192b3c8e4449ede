using CsCheck;
using RecoverKV.Actors.Protocol;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Protocol;

/// <summary><see cref="UidSet"/> against a plain set of numbers.</summary>
public sealed class UidSetSpec
{
    private static readonly Gen<UidRange> ARange =
        Gen.Select(Gen.Int[1, 30], Gen.Int[0, 8], (first, more) => Range(first, first + more));

    private static readonly Gen<(bool Add, UidRange Range)[]> Changes = Gen.Select(Gen.Bool, ARange).Array[0, 25];

    private static (UidSet Set, SortedSet<long> Model) Make((bool Add, UidRange Range)[] changes)
    {
        var (set, model) = (new UidSet(), new SortedSet<long>());
        foreach (var (add, range) in changes)
        {
            if (add) set.Add(range);
            else set.Remove(range);
            foreach (var uid in Numbers(range))
            {
                if (add) model.Add(uid);
                else model.Remove(uid);
            }
        }

        return (set, model);
    }

    private static IEnumerable<long> Numbers(UidRange range)
    {
        for (var uid = range.First.Value; uid <= range.Last.Value; uid++) yield return uid;
    }

    [Fact]
    public void It_holds_what_was_added_and_not_removed() => Changes.Sample(changes =>
    {
        var (set, model) = Make(changes);
        Assert.Equal(model, set.Ranges.SelectMany(Numbers));
        for (long uid = 0; uid < 45; uid++) Assert.Equal(model.Contains(uid), set.Contains(U(uid)));
    });

    [Fact]
    public void Its_ranges_ascend_and_do_not_touch() => Changes.Sample(changes =>
    {
        var ranges = Make(changes).Set.Ranges;
        Assert.All(ranges, r => Assert.True(r.Count > 0));
        for (var i = 1; i < ranges.Count; i++) Assert.True(ranges[i].First > ranges[i - 1].Last.Next);
    });

    [Fact]
    public void Contiguous_and_highest_are_those_of_the_numbers() => Changes.Sample(changes =>
    {
        var (set, model) = Make(changes);
        long contiguous = 0;
        while (model.Contains(contiguous + 1)) contiguous++;
        Assert.Equal((U(contiguous), U(model.Max)), (set.Contiguous, set.Highest));
    });

    [Fact]
    public void A_range_is_what_is_within_and_what_is_missing() =>
        Gen.Select(Changes, ARange).Sample((changes, range) =>
        {
            var (set, model) = Make(changes);
            var missing = Numbers(range).Where(n => !model.Contains(n)).ToArray();
            Assert.Equal(Numbers(range).Where(model.Contains), set.Within(range).SelectMany(Numbers));
            Assert.Equal(missing, set.Missing(range).SelectMany(Numbers));
            Assert.Equal(missing.Length, set.CountMissing(range));
        });

    [Fact]
    public void An_empty_range_changes_nothing_and_misses_nothing()
    {
        var set = new UidSet();
        set.Add(Range(3, 5));
        set.Add(Range(9, 8));
        set.Remove(Range(4, 3));
        Assert.Equal([Range(3, 5)], set.Ranges);
        Assert.Empty(set.Missing(Range(7, 6)));
        Assert.Equal(0, set.CountMissing(Range(7, 6)));
    }
}
