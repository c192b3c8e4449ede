using RecoverKV.Host.Bench.Loads;

namespace RecoverKV.Specs.Host;

/// <summary>Which keys and values loads use, and how they judge what they read.</summary>
public sealed class BenchKeysSpec
{
    [Theory]
    [InlineData(0.99)]
    [InlineData(0.5)]
    public void Zipf_gives_each_rank_its_share(double theta)
    {
        const int keys = 1000, draws = 200_000;
        var zipf = new ZipfDistribution(keys, theta);
        var random = new Random(42);
        var counts = new int[keys];
        for (var i = 0; i < draws; i++) counts[zipf.Rank(random.NextDouble())]++;
        var zeta = Enumerable.Range(1, keys).Sum(r => Math.Pow(r, -theta));
        // The first two ranks are exact; the formula for the others is close to their shares in sum.
        for (var rank = 0; rank < 2; rank++) Close(Math.Pow(rank + 1, -theta) / zeta, counts[rank]);
        foreach (var top in new[] { 10, 100, 500 })
            Close(Enumerable.Range(1, top).Sum(r => Math.Pow(r, -theta)) / zeta, counts.Take(top).Sum());
        Assert.Equal(draws, counts.Sum());

        static void Close(double share, int count) => Assert.InRange(count, share * draws * 0.95, share * draws * 1.05);
    }

    [Fact]
    public void The_hot_keys_of_zipf_are_scattered_and_always_the_same()
    {
        var zipf = new ZipfDistribution(1000, 0.99);
        var hot = Enumerable.Range(0, 20).Select(zipf.KeyOf).ToArray();
        Assert.True(hot.Distinct().Count() >= 18);
        Assert.InRange(hot.Average(), 200, 800);
        var (a, b) = (new Random(1), new Random(1));
        for (var i = 0; i < 100; i++) Assert.Equal(zipf.Next(a), zipf.Next(b));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Distributions_stay_within_few_keys(int keys)
    {
        var random = new Random(1);
        foreach (var distribution in
            new Distribution[] { new ZipfDistribution(keys, 0.99), new UniformDistribution(keys) })
        {
            var drawn = Enumerable.Range(0, 1000).Select(_ => distribution.Next(random)).ToArray();
            Assert.All(drawn, k => Assert.InRange(k, 0, keys - 1));
        }
    }

    [Fact]
    public void Uniform_uses_all_keys_alike()
    {
        var (uniform, random, counts) = (new UniformDistribution(10), new Random(3), new int[10]);
        for (var i = 0; i < 100_000; i++) counts[uniform.Next(random)]++;
        Assert.All(counts, c => Assert.InRange(c, 9_500, 10_500));
    }

    [Fact]
    public void Keys_have_their_size_and_are_all_different()
    {
        var keys = new KeySpace(KeySpace.Measured, 95, 10, 20);
        var names = Enumerable.Range(0, 10).Select(i => keys[i].ToString()).ToArray();
        Assert.Equal("bench/00000000000095", names[0]);
        Assert.Equal("bench/00000000000104", names[9]);
    }

    [Fact]
    public void A_value_tells_its_version_and_nothing_else_passes_for_it()
    {
        var (form, other) = (new ValueForm(100, run: 7), new ValueForm(100, run: 8));
        var value = new byte[100];
        form.Write(value, key: 5, version: 3);
        Assert.Equal(3, form.VersionOf(value, 5));
        Assert.Equal(0, form.VersionOf(value, 6));
        Assert.Equal(0, other.VersionOf(value, 5));
        Assert.Equal(0, form.VersionOf(value.AsSpan(0, 99), 5));
        Assert.Equal(0, form.VersionOf([], 5));
        value[^1] ^= 1;
        Assert.Equal(0, form.VersionOf(value, 5));
    }

    [Fact]
    public void A_mixed_load_finds_old_foreign_and_invented_values()
    {
        var form = new ValueForm(32, run: 7);
        var value = new byte[32];

        Assert.True(JudgeAfterTwoWrites(uid: 20, version: 2));
        // Written by somebody whose answer is still on its way: newer than what is acknowledged.
        Assert.True(JudgeAfterTwoWrites(uid: 21, version: 3));
        Assert.False(JudgeAfterTwoWrites(uid: 10, version: 1));
        Assert.False(JudgeAfterTwoWrites(uid: 0, version: 0));
        Assert.False(JudgeAfterTwoWrites(uid: 20, version: 1));
        Assert.False(JudgeAfterTwoWrites(uid: 21, version: 4));
        Assert.False(JudgeAfterTwoWrites(uid: 21, version: 3, writtenFor: 1));

        bool JudgeAfterTwoWrites(long uid, int version, int writtenFor = 0)
        {
            var load = new MixedLoad(null!, new KeySpace(KeySpace.Measured, 0, 2, 16), form);
            var (first, second, open) = (load.Issue(0), load.Issue(0), load.Issue(0));
            Assert.Equal((1, 2, 3), (first, second, open));
            // Answers may come in another order than that of the uids.
            load.Acknowledge(0, second, uid: 20);
            load.Acknowledge(0, first, uid: 10);
            form.Write(value, writtenFor, version);
            var right = load.Judge(0, load.Acknowledged(0), uid, uid == 0 ? [] : value);
            Assert.Equal(right ? 0 : 1, load.Check().Wrong);
            return right;
        }
    }

    [Fact]
    public void A_read_may_give_what_was_acknowledged_when_it_began()
    {
        var form = new ValueForm(32, run: 7);
        var value = new byte[32];
        var load = new MixedLoad(null!, new KeySpace(KeySpace.Measured, 0, 1, 16), form);
        form.Write(value, 0, load.Issue(0));
        load.Acknowledge(0, 1, uid: 10);
        var began = load.Acknowledged(0);
        load.Acknowledge(0, load.Issue(0), uid: 11);
        Assert.True(load.Judge(0, began, 10, value));
        Assert.False(load.Judge(0, load.Acknowledged(0), 10, value));
    }
}
