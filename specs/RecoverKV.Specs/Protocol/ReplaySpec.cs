using CsCheck;
using RecoverKV.Actors.Protocol;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>A replica that restarts remembers its facts, and they give back its durable state.</summary>
public sealed class ReplaySpec
{
    /// <summary>What of a core outlives a restart once the disk has caught up.</summary>
    private static string Durable(CoreKit kit)
    {
        var highest = kit.Journal.OfType<EntriesAppended>().Select(f => f.Batch.Last.Value).DefaultIfEmpty().Max();
        var entries = Enumerable.Range(1, (int)highest)
            .Select(uid => kit.Core.EntryAt(U(uid)) is { } entry
                ? $"{uid}: {entry.Epoch} {Text.Of(entry.Request)}"
                : $"{uid}: -");
        return string.Join("\n", [
            $"promised {kit.Core.PromisedEpoch}, contiguous {kit.Core.Contiguous}, facts {kit.Core.FactCount}",
            Text.Of(kit.Core.View), .. entries]);
    }

    private static CoreKit Restarted(CoreKit kit) => CoreKit.Start(
        int.Parse(kit.Core.Options.Self.Node.Name[1..]), 3, kit.OnDisk, o => o with { Run = kit.Core.Options.Run + 1 });

    [Fact]
    public void Three_replicas_through_elections_losses_and_crashes_replay_to_what_they_were() =>
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 2]).Array[200, 600].Sample(
            steps =>
            {
                var cluster = new Trio();
                foreach (var (what, who) in steps) cluster.Step(what, who);
                foreach (var kit in cluster.Kits)
                {
                    // What the disk reports may give rise to further facts.
                    while (kit.OnDisk.Length < kit.Journal.Count) kit.DiskCatchesUp();
                    var restarted = Restarted(kit);
                    Assert.Equal(Durable(kit), Durable(restarted));
                    // What was committed is known from the facts or learned again; it never grows by a restart.
                    Assert.True(restarted.Core.Applied <= kit.Core.Applied);
                }
            },
            iter: 60);

    [Fact]
    public void The_same_facts_and_inputs_give_the_same_effects() =>
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 2]).Array[100, 300].Sample(
            steps =>
            {
                var (one, other) = (new Trio(), new Trio());
                foreach (var (what, who) in steps) Assert.Equal(one.Step(what, who), other.Step(what, who));
            },
            iter: 20);

    [Fact]
    public void A_journal_that_contradicts_itself_is_refused()
    {
        Assert.Throws<InvariantViolationException>(
            () => CoreKit.Start(2, 3, Journal(View1(), Batch(1, 1, 3), Batch(1, 3, 4))));
        Assert.Throws<InvariantViolationException>(() => CoreKit.Start(2, 3, [new Unknown()]));
    }

    private sealed record Unknown : Fact;

    /// <summary>Three cores with a network and disks that do what the steps say.</summary>
    private sealed class Trio
    {
        private readonly List<(int From, int To, PeerMessage Message)> _network = [];
        private int _number = 1;

        public Trio()
        {
            // All up once, as the first view needs it.
            for (var i = 0; i < 200 && !Kits.Any(k => k.Core.IsSequencer); i++)
            {
                for (var n = 0; n < 3; n++)
                {
                    Carry(n, Kits[n].Wait(10));
                    Carry(n, Kits[n].DiskCatchesUp());
                }

                for (var m = 0; m < 20 && _network.Count > 0; m++) Deliver(0);
            }

            Assert.Contains(Kits, k => k.Core.IsSequencer);
        }

        public CoreKit[] Kits { get; } = [.. Enumerable.Range(1, 3).Select(n => CoreKit.Start(n, 3, []))];

        /// <summary>One step; returns its effects as text.</summary>
        public string Step(int what, int who)
        {
            var kit = Kits[who];
            var seed = what * 31 + who;
            switch (what)
            {
                case < 50 when _network.Count > 0:
                    return Deliver(seed % _network.Count);
                case < 54 when _network.Count > 0:
                    _network.RemoveAt(seed % _network.Count);
                    return "lost";
                case < 57 when _network.Count > 0:
                    _network.Add(_network[seed % _network.Count]);
                    return "twice";
                case < 75:
                    return Carry(
                        who, kit.DiskReaches(kit.OnDisk.Length + (kit.Journal.Count - kit.OnDisk.Length + 1) / 2));
                case < 82:
                    return Carry(who, kit.Submit(Ann, R(_number++)));
                case < 96:
                    return string.Join("\n", Enumerable.Range(0, 3).Select(n => Carry(n, Kits[n].Wait(30))));
                case < 99:
                    return Carry(who, kit.Wait(400));
                default:
                    Kits[who] = Restarted(kit);
                    return "restarted";
            }
        }

        private string Deliver(int at)
        {
            var (from, to, message) = _network[at];
            _network.RemoveAt(at);
            return Carry(to, Kits[to].Receive(from + 1, message));
        }

        private string Carry(int from, Effect[] effects)
        {
            // No disk loses anything here that it had reported.
            Assert.DoesNotContain(effects, e => e is Effect.StartOver);
            foreach (var send in effects.OfType<Effect.Send>())
                _network.Add((from, int.Parse(send.To.Name[1..]) - 1, send.Message));
            return string.Join("\n", effects.Select(Text.Of));
        }
    }
}
