using System.Buffers.Binary;
using RecoverKV.Simulation;

namespace RecoverKV.Fuzz;

/// <summary>Changes valid encodings so that they almost stay what they were. Not thread-safe.</summary>
internal sealed class Mutator(Prng random, Target target)
{
    private static readonly byte[] Bytes = [0, 1, 8, 10, 18, 0x7f, 0x80, 250, 252, 253, 254, 255];

    private static readonly long[] Numbers =
    [
        -1, 0, 127, 128, 255, 65536, int.MaxValue, int.MinValue, 2_000_000_000, uint.MaxValue, long.MaxValue,
        long.MinValue
    ];

    /// <summary>The next input.</summary>
    public byte[] Next()
    {
        if (random.Chance(0.03)) return Noise(random.Below(100));
        var input = target.Valid(random);
        if (random.Chance(0.03)) return input;
        // Messages one after the other are one message in Protobuf, with all their items.
        if (random.Chance(0.005)) return Repeated(input);
        if (random.Chance(0.005)) return Repeated([(byte)(random.Between(1, 8) << 3 | 2), 0]);
        var changes = 1 + (int)random.Exponential(TimeSpan.FromTicks(3)).Ticks;
        for (var i = 0; i < changes; i++) input = Change(input);
        return Cut(input);
    }

    private byte[] Change(byte[] input)
    {
        var at = random.Below(input.Length + 1);
        var length = random.Below(Math.Min(input.Length - at, random.OneOf(2, 20, 1000)) + 1);
        var (before, part, after) = (input[..at], input[at..(at + length)], input[(at + length)..]);
        return random.Below(12) switch
        {
            0 when length > 0 => [.. before, (byte)(part[0] ^ (1 << random.Below(8))), .. part[1..], .. after],
            1 when length > 0 => [.. before, random.OneOf<byte>(Bytes), .. part[1..], .. after],
            2 => [.. before, .. Noise(random.Below(8)), .. after],
            3 => [.. before, .. after],
            4 => [.. before, .. part, .. part, .. after],
            5 => before,
            6 => [.. before, .. target.Valid(random)],
            7 => [.. before, .. Varint((ulong)random.OneOf<long>(Numbers)), .. after],
            8 when after.Length >= 4 => [.. before, .. Int32((int)random.OneOf<long>(Numbers)), .. after[4..]],
            9 when after.Length >= 4 => [.. before, .. Int32(after.Length + random.Between(-5, 5)), .. after[4..]],
            10 when target.Words.Count > 0 => [.. before, .. random.Pick(target.Words), .. after],
            11 when random.Chance(0.02) => [.. before, .. Repeated(part), .. after],
            _ => [.. after, .. before],
        };
    }

    private byte[] Noise(int length)
    {
        var noise = new byte[length];
        for (var i = 0; i < length; i++) noise[i] = (byte)random.Next();
        return noise;
    }

    /// <summary>Up to the longest input: what is not linear shows.</summary>
    private byte[] Repeated(byte[] part)
    {
        if (part.Length == 0) part = random.Chance(0.5) ? [random.OneOf<byte>(Bytes)] : [10, 0];
        var result = new byte[Math.Min(target.Longest, (long)part.Length << random.Below(20))];
        for (var i = 0; i < result.Length; i++) result[i] = part[i % part.Length];
        return result;
    }

    private byte[] Cut(byte[] input) => input.Length <= target.Longest ? input : input[..target.Longest];

    private static byte[] Int32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
