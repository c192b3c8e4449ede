using RecoverKV.Client;

namespace RecoverKV.Simulation.Cluster;

/// <summary>Keys and values of the simulated clients: a value is the number of its put, unique in a run.</summary>
internal static class Values
{
    private static readonly Key[] AllKeys = [.. Enumerable.Range(0, 16).Select(i => new Key($"k{i}"))];

    public static Key Key(int index) => AllKeys[index];

    public static int Index(Key key) => Array.IndexOf(AllKeys, key);

    public static ReadOnlyMemory<byte> Of(long id) => BitConverter.GetBytes(id);

    public static long Id(ReadOnlyMemory<byte> value) => BitConverter.ToInt64(value.Span);
}
