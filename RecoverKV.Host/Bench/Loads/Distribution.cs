namespace RecoverKV.Host.Bench.Loads;

/// <summary>Which keys a load uses.</summary>
internal abstract class Distribution
{
    /// <summary>A key's place, from 0 on.</summary>
    public abstract int Next(Random random);
}

/// <summary>All keys alike.</summary>
internal sealed class UniformDistribution(int count) : Distribution
{
    /// <inheritdoc/>
    public override int Next(Random random) => random.Next(count);
}

/// <summary>
/// A few keys often and most seldom: the key of rank r in proportion to 1/r^theta. Made as by YCSB (Gray et al.,
/// Quickly Generating Billion-Record Synthetic Databases): ranks are scattered over all keys by a hash.
/// </summary>
internal sealed class ZipfDistribution : Distribution
{
    private readonly int _count;
    private readonly double _theta;
    private readonly double _alpha;
    private readonly double _zeta;
    private readonly double _eta;

    /// <summary>Over so many keys.</summary>
    /// <param name="count">How many keys.</param>
    /// <param name="theta">The skew, above 0 and below 1.</param>
    public ZipfDistribution(int count, double theta)
    {
        (_count, _theta) = (count, theta);
        _alpha = 1 / (1 - theta);
        for (var rank = 1; rank <= count; rank++) _zeta += Math.Pow(rank, -theta);
        _eta = (1 - Math.Pow(2.0 / count, 1 - theta)) / (1 - (1 + Math.Pow(0.5, theta)) / _zeta);
    }

    /// <inheritdoc/>
    public override int Next(Random random) => KeyOf(Rank(random.NextDouble()));

    /// <summary>The rank, from 0 on, at a point of the distribution from 0 to 1.</summary>
    public int Rank(double point)
    {
        var scaled = point * _zeta;
        if (scaled < 1) return 0;
        if (scaled < 1 + Math.Pow(0.5, _theta)) return Math.Min(1, _count - 1);
        return Math.Min(_count - 1, (int)(_count * Math.Pow(_eta * point - _eta + 1, _alpha)));
    }

    /// <summary>The key of a rank: FNV-1a of its bytes. Some keys get several ranks and some none, as with
    /// YCSB.</summary>
    public int KeyOf(int rank)
    {
        var hash = 0xCBF29CE484222325;
        for (var i = 0; i < 8; i++)
        {
            hash ^= (ulong)((long)rank >> (8 * i)) & 0xFF;
            hash *= 0x100000001B3;
        }

        return (int)(hash % (ulong)_count);
    }
}
