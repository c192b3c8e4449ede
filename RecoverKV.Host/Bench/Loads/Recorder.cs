using HdrHistogram;
using RecoverKV.Client;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>Takes down what each operation of a load took. Callers are spread over several histograms, so that they
/// seldom wait for each other. Thread-safe.</summary>
internal sealed class Recorder
{
    private readonly long _start;
    private readonly IReadOnlyList<string> _kinds;
    private readonly Stripe[] _stripes;

    /// <summary>Of a load that begins at <paramref name="start"/>.</summary>
    public Recorder(long start, IReadOnlyList<string> kinds, int callers)
    {
        _start = start;
        _kinds = kinds;
        _stripes = [.. Enumerable.Range(0, Math.Min(callers, 16)).Select(_ => new Stripe(kinds.Count))];
    }

    /// <summary>An operation was done.</summary>
    /// <param name="caller">The number of its caller.</param>
    /// <param name="kind">Which kind it was.</param>
    /// <param name="intended">When it should have begun.</param>
    /// <param name="ended">When it ended.</param>
    public void Done(int caller, int kind, long intended, long ended)
    {
        var stripe = _stripes[caller % _stripes.Length];
        lock (stripe)
        {
            var part = stripe.Parts[kind];
            part.Histogram.RecordValue(Math.Clamp(ended - intended, 1, Figures.LongestLatency));
            part.Ended(ended);
            var interval = (int)Math.Max(0, (ended - _start) / Figures.Interval);
            while (part.Series.Count <= interval) part.Series.Add(0);
            part.Series[interval]++;
        }
    }

    /// <summary>An operation failed.</summary>
    public void Failed(int caller, int kind, long ended, RecoverKvException failure)
    {
        var stripe = _stripes[caller % _stripes.Length];
        lock (stripe)
        {
            stripe.Parts[kind].Ended(ended);
            stripe.Parts[kind].Count(KindOf(failure), 1, Failures.Describe(failure));
        }
    }

    /// <summary>Operations that could not even begin.</summary>
    public void NeverBegun(long count)
    {
        if (count == 0) return;
        lock (_stripes[0]) _stripes[0].Parts[0].Count("never begun", count, "the store did not keep up with the rate");
    }

    /// <summary>What was taken down, of each kind. Nobody may write any more.</summary>
    public Figures[] Collect() => [.. _kinds.Select((name, kind) =>
        Figures.Merge(name, [.. _stripes.Select(s => s.Parts[kind].Collect(name, _start))]))];

    private static string KindOf(RecoverKvException failure) => failure switch
    {
        NotDoneException => "not done",
        OutcomeUnknownException => "outcome unknown",
        InvalidRequestException => "invalid request",
        _ => failure.GetType().Name,
    };

    private sealed class Stripe(int kinds)
    {
        public Part[] Parts { get; } = [.. Enumerable.Range(0, kinds).Select(_ => new Part())];
    }

    private sealed class Part
    {
        private readonly SortedDictionary<string, long> _errors = new(StringComparer.Ordinal);
        private string? _anError;
        private long _ended;

        public LongHistogram Histogram { get; } = Figures.NewHistogram();

        public List<int> Series { get; } = [];

        public void Ended(long at) => _ended = Math.Max(_ended, at);

        public void Count(string kind, long count, string text)
        {
            _errors[kind] = _errors.GetValueOrDefault(kind) + count;
            _anError ??= text;
        }

        public Figures Collect(string name, long start) => new()
        {
            Name = name,
            StartedAt = start,
            EndedAt = Math.Max(_ended, start),
            Series = [.. Series],
            Latencies = Figures.LatenciesOf(Histogram),
            Errors = _errors,
            AnError = _anError,
        };
    }
}
