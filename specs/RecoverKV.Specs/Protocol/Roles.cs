using RecoverKV.Actors.Protocol;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Protocol;

/// <summary>Brings a core into the role that a spec is about.</summary>
internal static class Roles
{
    /// <summary>A member of view 1, led by n1, with the entries 1..<paramref name="log"/> on disk, known to be
    /// committed up to <paramref name="committed"/>.</summary>
    public static CoreKit Follower(
        int node = 2, long log = 0, long committed = 0, View? view = null,
        Func<ProtocolOptions, ProtocolOptions>? options = null,
        Mutations mutations = Mutations.None)
    {
        view ??= View1();
        var journal = log > 0 ? Journal(view, Batch(1, 1, log)) : Journal(view);
        var kit = CoreKit.Start(node, view.Members.Length, journal, options, mutations: mutations);
        if (committed > 0) kit.Receive(1, new Commit(view.Epoch, U(committed)));
        return kit;
    }

    /// <summary>A follower as above, with a lease from now on.</summary>
    public static CoreKit Alive(
        int node = 2, long log = 0, long committed = 0, Func<ProtocolOptions, ProtocolOptions>? options = null)
    {
        var kit = Follower(node, log, committed, options: options);
        kit.Receive(1, Beat(1, kit.Now, committed));
        return kit;
    }

    /// <summary>n3, which view 1 has as a member but not in-sync, with these batches on disk.</summary>
    public static CoreKit Zombie(Batch[] log, Func<ProtocolOptions, ProtocolOptions>? options = null) =>
        CoreKit.Start(3, 3, Journal(View1(1, 2), log), options);

    /// <summary>
    /// n1 as the sequencer of view 2, elected after a restart, with the entries 1..<paramref name="log"/> of view 1
    /// committed. The in-sync members have what it has; the others are not there.
    /// </summary>
    public static CoreKit Sequencer(
        int[]? inSync = null, int of = 3, long log = 0, Func<ProtocolOptions, ProtocolOptions>? options = null)
    {
        inSync ??= [.. Enumerable.Range(1, of)];
        var before = View(1, 1, of, inSync, (1, 1));
        var kit = CoreKit.Start(1, of, log > 0 ? Journal(before, Batch(1, 1, log)) : Journal(before), options);
        kit.WaitFor(Sends<Canvass>);
        var others = inSync.Where(n => n != 1).ToArray();
        foreach (var node in others) kit.Receive(node, new CanvassReply(E(2), true, E(1)));
        kit.DiskCatchesUp();
        var effects = others.SelectMany(n => kit.Receive(n, Promise(2, before, log, log))).ToArray();
        if (!effects.Any(Sends<Synchronize>)) kit.WaitFor(Sends<Synchronize>);
        foreach (var node in others) kit.Receive(node, new Synchronized(E(2), U(log)));
        kit.DiskCatchesUp();
        foreach (var node in others) kit.Receive(node, new AcceptedView(E(2)));
        Assert.True(kit.Core.IsSequencer);
        Assert.Equal(E(2), kit.Core.View.Epoch);
        Assert.Equal(inSync.Select(Node), kit.Core.View.InSync);
        return kit;
    }

    /// <summary>The in-sync members acknowledge what the sequencer sent, and its own disk catches up.</summary>
    public static Effect[] AllAcknowledge(this CoreKit kit, long contiguous) =>
    [
        .. kit.DiskCatchesUp(),
        .. kit.Core.View.InSync.Where(n => n != kit.Core.View.Sequencer).SelectMany(n =>
            kit.Receive(
                kit.Core.View.Members.First(m => m.Node == n), Appended(kit.Core.View.Epoch.Value, contiguous))),
    ];

    /// <summary>
    /// A campaign of n1 succeeds whose canvass is out: <paramref name="promisers"/> promise, those of
    /// <paramref name="inSync"/> synchronise, and all accept. Returns the effects of the activation.
    /// </summary>
    public static Effect[] Succeed(
        this CoreKit kit, long epoch, MemberId[] promisers, MemberId[] inSync,
        View before, long contiguous, long? committed = null)
    {
        foreach (var member in promisers) kit.Receive(member, new CanvassReply(E(epoch), true, before.Epoch));
        kit.DiskCatchesUp();
        var promised = promisers
            .SelectMany(m => kit.Receive(m, Promise(epoch, before, contiguous, committed ?? contiguous))).ToArray();
        if (!promised.Any(Sends<Synchronize>)) kit.WaitFor(Sends<Synchronize>);
        foreach (var member in inSync) kit.Receive(member, new Synchronized(E(epoch), U(contiguous)));
        var effects = kit.DiskCatchesUp();
        return [.. effects, .. promisers.SelectMany(m => kit.Receive(m, new AcceptedView(E(epoch))))];
    }

    /// <summary>A lease time passes without a heartbeat, and the member promises the epoch, on disk.</summary>
    public static CoreKit PromiseTo(this CoreKit kit, int candidate, long epoch)
    {
        kit.Later(1000);
        kit.Receive(candidate, new RequestPromise(E(epoch), E(0)));
        kit.DiskCatchesUp();
        Assert.Equal(E(epoch), kit.Core.PromisedEpoch);
        return kit;
    }

    /// <summary>A sequencer's time passes, with its heartbeats acknowledged at once by these members, until an effect
    /// satisfies the condition. Returns the effects from that instant.</summary>
    public static Effect[] RunUntil(this CoreKit kit, Func<Effect, bool> condition, long contiguous, params int[] nodes)
    {
        for (var passed = 0; passed < 5000; passed += 10)
        {
            var effects = kit.Wait(10);
            if (effects.Any(condition)) return effects;
            kit.Acknowledge(effects, contiguous, nodes);
        }

        throw new InvalidOperationException("nothing of the kind in five seconds");
    }

    /// <summary>These members acknowledge the heartbeats among the effects.</summary>
    public static void Acknowledge(this CoreKit kit, Effect[] effects, long contiguous, params int[] nodes)
    {
        foreach (var node in nodes)
        {
            foreach (var beat in effects.SentTo(node).OfType<Heartbeat>())
                kit.Receive(node, Ack(kit, beat.Epoch.Value, beat.Round, contiguous));
        }
    }

    /// <summary>The sequencer's time passes, with its heartbeats acknowledged by these members.</summary>
    public static Effect[] Run(this CoreKit kit, int milliseconds, long contiguous, params int[] nodes)
    {
        var all = new List<Effect>();
        for (var passed = 0; passed < milliseconds; passed += 10)
        {
            var effects = kit.Wait(10);
            all.AddRange(effects);
            kit.Acknowledge(effects, contiguous, nodes);
        }

        return [.. all];
    }
}
