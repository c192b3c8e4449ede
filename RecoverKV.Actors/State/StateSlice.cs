using System.Text;

namespace RecoverKV.Actors.State;

/// <summary>R11: a part of a state in its order, small enough to be compared between replicas within a
/// heartbeat.</summary>
/// <param name="From">What is at or above this is in it.</param>
/// <param name="To">What is below this is in it; empty: up to the end.</param>
public sealed record StateSlice(ReadOnlyMemory<byte> From, ReadOnlyMemory<byte> To)
{
    private const int MostShown = 64;

    /// <summary>In words, in one line.</summary>
    public override string ToString() =>
        $"keys from {(From.IsEmpty ? "the first one" : Show(From.Span))}"
        + (To.IsEmpty ? " to the last one" : $" to below {Show(To.Span)}");

    private static string Show(ReadOnlySpan<byte> key)
    {
        var text = Encoding.UTF8.GetString(key[..Math.Min(key.Length, MostShown)]);
        var line = string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
        return $"'{line}{(key.Length > MostShown ? "..." : "")}'";
    }
}
