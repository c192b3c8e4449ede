namespace RecoverKV.Simulation;

/// <summary>
/// SplitMix64: every choice of a simulation comes from one seed, the same on every machine. Each part forks a
/// generator of its own, so that a choice more in one part does not shift those of the others.
/// </summary>
public sealed class Prng(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public Prng Fork() => new(Next());

    /// <summary>From 0 to below 1.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Unit() < probability;

    /// <summary>From 0 to below <paramref name="end"/>.</summary>
    public int Below(int end) => (int)(Next() % (ulong)end);

    /// <summary>Both bounds included.</summary>
    public int Between(int first, int last) => first + Below(last - first + 1);

    public double Between(double low, double high) => low + Unit() * (high - low);

    public TimeSpan Between(TimeSpan low, TimeSpan high) => low + (high - low) * Unit();

    public TimeSpan Milliseconds(double low, double high) => TimeSpan.FromMilliseconds(Between(low, high));

    /// <summary>Time until the next of many independent things that happen once in <paramref name="mean"/>.</summary>
    public TimeSpan Exponential(TimeSpan mean) => mean * -Math.Log(1 - Unit());

    public T OneOf<T>(params ReadOnlySpan<T> items) => items[Below(items.Length)];

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>A subset of this size, in random order.</summary>
    public List<T> Sample<T>(IReadOnlyList<T> items, int count)
    {
        var rest = items.ToList();
        var result = new List<T>(count);
        while (result.Count < count)
        {
            var index = Below(rest.Count);
            result.Add(rest[index]);
            rest.RemoveAt(index);
        }

        return result;
    }

    public Guid Guid()
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, Next());
        BitConverter.TryWriteBytes(bytes[8..], Next());
        return new Guid(bytes);
    }
}
