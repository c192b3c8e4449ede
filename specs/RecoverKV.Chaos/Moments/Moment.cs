using System.Diagnostics;
using System.Globalization;

namespace RecoverKV.Chaos.Moments;

/// <summary>When something comes.</summary>
/// <param name="Share">Of the time that the operation took before: this is drawn.</param>
/// <param name="After">The time since its begin.</param>
/// <param name="InTime">Whether it was still under way.</param>
internal sealed record Moment(double Share, TimeSpan After, bool InTime)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"at {100 * Share:F0} %, {After.TotalMilliseconds:F0} ms{(InTime ? "" : ", when it had ended")}");
}

/// <summary>How long each operation takes, and moments of it, all of them alike.</summary>
internal sealed class MomentClock(Random random)
{
    private readonly Dictionary<Operation, TimeSpan> _took = [];

    /// <summary>What each took when nothing came.</summary>
    public IReadOnlyDictionary<Operation, TimeSpan> Took => _took;

    /// <summary>Waits until a moment of an operation that begins now, or until its end, if it is not known how long it
    /// takes.</summary>
    /// <returns>The moment; null if the operation was measured.</returns>
    public async Task<Moment?> ReachAsync(Operation operation, Task ended)
    {
        var clock = Stopwatch.StartNew();
        if (!_took.TryGetValue(operation, out var took))
        {
            await ended;
            _took.Add(operation, clock.Elapsed);
            return null;
        }

        var share = random.NextDouble();
        if (await Task.WhenAny(ended, Task.Delay(share * took)) == ended) _took[operation] = clock.Elapsed;
        return new Moment(share, clock.Elapsed, !ended.IsCompleted);
    }
}
