using RecoverKV.Actors.Protocol;

namespace RecoverKV.Simulation.Cluster;

/// <summary>What happened: a hash over everything, the last events for a failure, and on request every event as a
/// line. Lines are made only when somebody reads them.</summary>
internal sealed class Trace(int keep = 60)
{
    private readonly record struct Line(TimeSpan At, string What, string Where, string Who, object? Detail);

    private readonly Line[] _last = new Line[keep];
    private readonly Dictionary<Type, ulong> _types = [];
    private long _count;

    /// <summary>The same for the same seed.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <summary>Gets every event as a line, if set.</summary>
    public TextWriter? Writer { get; init; }

    /// <param name="at">Simulated time.</param>
    /// <param name="what">A word for the kind of event.</param>
    /// <param name="where">The node or client.</param>
    /// <param name="who">The other side, if any.</param>
    /// <param name="detail">Immutable.</param>
    public void Add(TimeSpan at, string what, string where, string who = "", object? detail = null)
    {
        var line = new Line(at, what, where, who, detail);
        _last[_count++ % keep] = line;
        Mix((ulong)at.Ticks);
        Mix(what);
        Mix(where);
        Mix(who);
        if (detail is not null) MixDetail(detail);
        Writer?.WriteLine(Show(line));
    }

    public void Mix(ulong value) => Hash = (Hash ^ value) * 1099511628211 ^ (Hash >> 31);

    private void Mix(string text)
    {
        foreach (var c in text) Hash = (Hash ^ c) * 1099511628211;
    }

    private void MixDetail(object detail)
    {
        if (detail is string text)
        {
            Mix(text);
            return;
        }

        var type = detail.GetType();
        if (!_types.TryGetValue(type, out var hash))
        {
            hash = 7;
            foreach (var c in type.Name) hash = hash * 31 + c;
            _types[type] = hash;
        }

        Mix(hash);
        if (detail is PeerMessage message) Mix((ulong)message.Epoch.Value);
    }

    public IEnumerable<string> Last()
    {
        for (var i = Math.Max(0, _count - keep); i < _count; i++) yield return Show(_last[i % keep]);
    }

    private static string Show(Line line) =>
        $"{line.At.TotalMilliseconds,10:F3} {line.Where,-4} {line.What,-9} {line.Who,-4} {Words.Of(line.Detail)}";
}
