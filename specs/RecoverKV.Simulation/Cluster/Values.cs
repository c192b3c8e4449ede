using RecoverKV.Client;

namespace RecoverKV.Simulation.Cluster;

/// <summary>Keys and values of the simulated clients: a value is the number of its put, unique in a run.</summary>
internal static class Values
{
    private static readonly Key[] AllKeys = [.. Enumerable.Range(0, 16).Select(i => new Key($"k{i}"))];

    public static Key Key(int index) => AllKeys[index];

    public static int Index(Key key) => Array.IndexOf(AllKeys, key);

    /// <param name="id">The number of the put.</param>
    /// <param name="padding">Up to so many bytes follow it.</param>
    public static ReadOnlyMemory<byte> Of(long id, int padding = 0)
    {
        var value = new byte[Length(id, padding)];
        BitConverter.TryWriteBytes(value, id);
        return value;
    }

    /// <summary>How many bytes the value of this put has.</summary>
    public static int Length(long id, int padding) => 8 + (padding == 0 ? 0 : (int)((ulong)id * 7919 % (ulong)padding));

    public static long Id(ReadOnlyMemory<byte> value) => BitConverter.ToInt64(value.Span);
}
