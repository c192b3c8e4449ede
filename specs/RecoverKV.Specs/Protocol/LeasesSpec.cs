using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R5, leases: where they come from, and when they end.</summary>
public sealed class LeasesSpec
{
    [Fact]
    public void R5_a_heartbeat_is_acknowledged_with_the_own_clock_and_gives_no_lease_by_itself()
    {
        var kit = Follower(2, log: 3, committed: 2);
        kit.Receive(1, Beat(1, round: 5, committed: 2)).Exactly(
            To(1, new HeartbeatAck(
                E(1), 5, CoreKit.Run, kit.Now, U(3), U(3), Mark: new DataMark(U(2), kit.Core.Digest, 5))));
        Assert.Equal(NodeMode.Ready, kit.Mode);
    }

    [Fact]
    public void R5_the_lease_runs_from_the_echoed_reading_not_from_the_arrival()
    {
        var kit = Follower(2);
        var clock = kit.Now;
        kit.Later(400);
        kit.Receive(1, Beat(1, echo: clock));
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.Later(499);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.Later(1);
        Assert.Equal(NodeMode.Ready, kit.Mode);
        // What is over when it comes gives nothing.
        kit.Receive(1, Beat(1, echo: clock));
        Assert.Equal(NodeMode.Ready, kit.Mode);
    }

    [Fact]
    public void R5_a_later_echo_extends_the_lease_and_an_earlier_one_does_not_shorten_it()
    {
        var kit = Follower(2);
        var (first, second) = (kit.Now, kit.Now + Ms(300));
        kit.Later(300);
        kit.Receive(1, Beat(1, echo: second));
        kit.Receive(1, Beat(1, echo: first));
        kit.Later(899);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.Later(1);
        Assert.Equal(NodeMode.Ready, kit.Mode);
    }

    [Fact]
    public void R5_a_clock_reading_of_another_run_is_ignored()
    {
        var kit = Follower(2);
        kit.Receive(1, Beat(1, echo: kit.Now, run: CoreKit.Run + 1));
        kit.Receive(1, Beat(1, echo: kit.Now, run: 0));
        Assert.Equal(NodeMode.Ready, kit.Mode);
        kit.Read(Ann, "k", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, null, age: -1));
    }

    [Fact]
    public void R5_only_the_sequencer_of_the_accepted_view_gives_leases()
    {
        var kit = Follower(2);
        kit.Receive(3, Beat(1, echo: kit.Now)).Exactly(To(3, new Refuse(E(1), E(1))));
        kit.Receive(3, Beat(2, echo: kit.Now)).Exactly(To(3, new ViewWanted(E(2))));
        Assert.Equal(NodeMode.Ready, kit.Mode);
    }

    [Fact]
    public void R5_a_zombie_takes_no_lease()
    {
        var kit = Zombie([]);
        kit.Receive(1, Beat(1, echo: kit.Now)).Exactly(To(1, Ack(kit, 1, round: 1, contiguous: 0)));
        Assert.Equal(NodeMode.Zombie, kit.Mode);
        kit.Read(Ann, "k").Exactly(RefusesRead(Ann));
    }

    [Fact]
    public void R5_a_promise_ends_the_lease_for_good()
    {
        var kit = Alive(2);
        kit.Receive(1, new RequestPromise(E(2), E(0)));
        Assert.Equal(NodeMode.Ready, kit.Mode);
        kit.Receive(1, Beat(1, echo: kit.Now)).Exactly(To(1, new Refuse(E(1), E(2))));
        Assert.Equal(NodeMode.Ready, kit.Mode);
    }

    [Fact]
    public void R5_a_view_without_this_replica_ends_its_lease()
    {
        var kit = Alive(2);
        // It missed the view: a node that is not in-sync in it needs no promise for it.
        kit.Receive(3, new InstallView(View(2, 3, 3, [1, 3], (2, 1))));
        kit.DiskCatchesUp();
        Assert.Equal(NodeMode.Zombie, kit.Mode);
    }

    [Fact]
    public void R5_a_restart_ends_the_lease()
    {
        var kit = Alive(2);
        var restarted = CoreKit.Start(2, 3, kit.OnDisk);
        Assert.Equal(NodeMode.Ready, restarted.Mode);
    }

    [Fact]
    public void R5_a_reading_is_echoed_when_a_round_begun_after_its_arrival_has_a_majority()
    {
        var kit = Sequencer();
        HeartbeatAck AckAt(long round, int clock) => new(E(2), round, 55, Ms(clock), U(0), U(0));

        // Round 1 began with the view. Its acknowledgement makes a majority, but the reading came after its begin.
        kit.Later(20);
        kit.Receive(2, AckAt(1, clock: 5000)).Nothing();
        Assert.Equal(NodeMode.Ready, kit.Mode);
        // The sequencer's own reading, which came with the begin of the round, counts from there; the next beat is
        // early.
        kit.Tick().Exactly(To(2, Beat(2, round: 2)), To(3, Beat(2, round: 2)));
        Assert.Equal(NodeMode.Alive, kit.Mode);
        // Its own next one needs a majority behind it, too: the lease is that of 20 ms ago.
        kit.Later(879);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.Later(1);
        Assert.Equal(NodeMode.Ready, kit.Mode);

        kit.Receive(2, AckAt(2, clock: 6000)).Nothing();
        kit.Tick().Exactly(To(2, Beat(2, Ms(5000), run: 55, round: 3)), To(3, Beat(2, round: 3)));
        // Without a further majority the echo stays the same.
        kit.Receive(3, AckAt(2, clock: 9000));
        kit.Later(100);
        kit.Tick().Exactly(To(2, Beat(2, Ms(5000), run: 55, round: 4)), To(3, Beat(2, round: 4)));
    }

    [Fact]
    public void R5_without_a_majority_nothing_is_echoed()
    {
        var kit = Sequencer(of: 5);
        for (long round = 1; round < 8; round++)
        {
            // One member, however often it says so, and one that is a member no more, do not make three of five.
            kit.Receive(2, Ack(kit, 2, round, contiguous: 0));
            kit.Receive(2, Ack(kit, 2, round, contiguous: 0));
            kit.Receive(Member(3, incarnation: 9), Ack(kit, 2, round, contiguous: 0));
            Assert.All(kit.Wait(100).OfType<Effect.Send>().Select(s => s.Message).OfType<Heartbeat>(),
                h => Assert.Equal(0, h.LeaseRun));
            Assert.Equal(NodeMode.Ready, kit.Mode);
        }
    }

    [Fact]
    public void R5_heartbeats_go_to_every_configured_node_at_their_interval()
    {
        var kit = Sequencer(inSync: [1, 2]);
        kit.Wait(90).Nothing();
        kit.Wait(10).Exactly(To(2, Beat(2, round: 2)), To(3, Beat(2, round: 2)));
        kit.Wait(90).Nothing();
        kit.Wait(10).Exactly(To(2, Beat(2, round: 3)), To(3, Beat(2, round: 3)));
    }
}
