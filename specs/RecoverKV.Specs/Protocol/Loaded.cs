using RecoverKV.Actors.Protocol;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Protocol;

/// <summary>A sequencer n1 and its replicas in time, with as many writes as they take; any of them stands still now and
/// then, and does what came meanwhile when it goes on.</summary>
internal sealed class Loaded(CoreKit kit, int of = 3)
{
    private readonly Dictionary<int, Heartbeat> _beats = [];
    private int _time;
    private long _next = kit.Core.Contiguous.Value;
    private long _last = kit.Core.Contiguous.Value;

    /// <summary>Whether a node runs at this time in milliseconds; for n1 it is said by <see cref="Disk"/> and
    /// <see cref="Ticks"/>.</summary>
    public Func<int, int, bool> Runs { get; set; } = (_, _) => true;

    /// <summary>Whether the sequencer's disk takes something at this time.</summary>
    public Func<int, bool> Disk { get; set; } = _ => true;

    /// <summary>Whether the sequencer itself runs at this time.</summary>
    public Func<int, bool> Ticks { get; set; } = _ => true;

    /// <summary>What a node says of its own ticks.</summary>
    public Func<int, int> TicksLate { get; set; } = _ => 0;

    public bool Writes { get; set; } = true;

    /// <summary>The pattern of a process that gets a fifth of the time: 400 ms of 500 it stands still.</summary>
    public static bool AFifth(int time) => time % 500 >= 400;

    /// <summary>Time passes until an effect satisfies the condition.</summary>
    /// <returns>After how many milliseconds; null if not within the time given.</returns>
    public int? Until(Func<Effect, bool> condition, int atMost)
    {
        for (var passed = 10; passed <= atMost; passed += 10)
            if (Step().Any(condition)) return passed;
        return null;
    }

    /// <summary>Time passes, and no view change is even asked for.</summary>
    public void Calm(int milliseconds) =>
        Assert.Null(Until(e => Sends<Canvass>(e) || Sends<Handover>(e), milliseconds));

    /// <summary>The next view, whose canvass is out, comes to be with these as its in-sync members.</summary>
    public void Change(params int[] inSync)
    {
        kit.DiskCatchesUp();
        MemberId[] others = [.. inSync.Where(n => n != 1).Select(n => Member(n))];
        Note(kit.Succeed(kit.Core.View.Epoch.Value + 1, others, others, kit.Core.View, contiguous: _last));
        Assert.Equal([.. inSync.Select(Node)], kit.Core.View.InSync);
        Assert.True(kit.Core.IsSequencer);
    }

    private List<Effect> Step()
    {
        _time += 10;
        kit.Later(10);
        if (!Ticks(_time)) return [];
        var effects = new List<Effect>();
        if (Writes) effects.AddRange(kit.Submit(Ann, R(++_next)));
        if (Disk(_time)) effects.AddRange(kit.DiskCatchesUp());
        effects.AddRange(kit.Tick());
        Note(effects);
        for (var node = 2; node <= of; node++)
        {
            if (!Runs(node, _time) || !kit.Core.IsSequencer) continue;
            var epoch = kit.Core.View.Epoch.Value;
            var answers = new List<Effect>(kit.Receive(node, Appended(epoch, _last)));
            if (_beats.Remove(node, out var beat) && beat.Epoch.Value == epoch)
                answers.AddRange(
                    kit.Receive(node, Ack(kit, epoch, beat.Round, _last) with { TicksLate = TicksLate(node) }));
            Note(answers);
            effects.AddRange(answers);
        }

        return effects;
    }

    private void Note(IEnumerable<Effect> effects)
    {
        foreach (var effect in effects)
        {
            if (effect is not Effect.Send { To: var to, Message: var message }) continue;
            if (message is Append append) _last = Math.Max(_last, append.Batch.Last.Value);
            if (message is Heartbeat beat)
                _beats[int.Parse(to.Name[1..], System.Globalization.CultureInfo.InvariantCulture)] = beat;
        }
    }
}
