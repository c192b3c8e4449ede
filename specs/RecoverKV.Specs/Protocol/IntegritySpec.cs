using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R11, integrity: replicas at one uid have the same data; who does not have what most have is out of
/// service.</summary>
public sealed class IntegritySpec
{
    private static DataMark Mark(CoreKit kit, ulong change = 0) => new(kit.Core.Applied, kit.Core.Digest ^ change);

    private static CoreKit Leader(int of = 3)
    {
        var kit = Sequencer(of: of, log: 2);
        // The next heartbeat is of the uid that the tenure began with.
        kit.WaitFor(e => e is Effect.Send { Message: Heartbeat { Committed.Value: 2 } });
        return kit;
    }

    private static Effect[] Tells(CoreKit kit, int node, ulong change = 0, long round = 2) =>
        kit.Receive(node, Ack(kit, 2, round, contiguous: 2) with { Mark = Mark(kit, change) });

    private static DataMark Agreed(CoreKit kit) =>
        kit.WaitFor(e => e is Effect.Send { Message: Heartbeat }).SentTo(2).OfType<Heartbeat>().Single().Agreed;

    [Fact]
    public void A_follower_tells_its_digest_at_the_committed_uid_of_a_heartbeat()
    {
        var kit = Zombie([Batch(1, 1, 2)]);
        Assert.Equal(default, Told(kit, Beat(1)));
        Assert.True(Told(kit, Beat(1, round: 2, committed: 2)) == Mark(kit));
        Assert.Equal(U(2), Mark(kit).At);
        // Not before it has applied it.
        Assert.True(Told(kit, Beat(1, round: 3, committed: 4)) == Mark(kit));
        kit.Receive(1, Append(1, 3, 5, committed: 5));
        Assert.Equal(U(2), Told(kit, Beat(1, round: 4, committed: 4)).At);
        kit.DiskCatchesUp();
        Assert.Equal(U(5), kit.Core.Applied);
        Assert.Equal(U(4), Told(kit, Beat(1, round: 4, committed: 4)).At);
        Assert.True(Told(kit, Beat(1, round: 5, committed: 5)) == Mark(kit));
        // A late heartbeat is of a uid that it has passed.
        Assert.True(Told(kit, Beat(1, round: 2, committed: 3)) == Mark(kit));
    }

    private static DataMark Told(CoreKit kit, Heartbeat beat) =>
        kit.Receive(1, beat).SentTo(1).OfType<HeartbeatAck>().Single().Mark;

    [Fact]
    public void Nothing_is_said_while_all_have_the_same()
    {
        var kit = Leader();
        Assert.DoesNotContain(Tells(kit, 2), e => e is Effect.Warning);
        Assert.DoesNotContain(Tells(kit, 3), e => e is Effect.Warning);
        Assert.Equal(default, Agreed(kit));
        Assert.Null(kit.Trouble);
    }

    [Fact]
    public void What_a_majority_has_is_told_when_somebody_has_something_else()
    {
        var kit = Leader();
        // Of two nobody knows whose is right.
        var warned = Assert.Single(Tells(kit, 3, change: 1).OfType<Effect.Warning>());
        Assert.Contains("the data of n1, n3 is not the same at uid 2", warned.Text, StringComparison.Ordinal);
        Assert.Contains("no majority tells whose is right", kit.Trouble, StringComparison.Ordinal);
        Assert.Equal(default, Agreed(kit));
        Tells(kit, 2, round: 3);
        Assert.Equal(Mark(kit), Agreed(kit));
        Assert.True(kit.Core.IsSequencer);
    }

    [Fact]
    public void A_sequencer_whose_data_differs_steps_down()
    {
        var kit = Leader();
        Tells(kit, 2, change: 1);
        Assert.Contains(Tells(kit, 3, change: 1), e => e is Effect.Warning);
        Assert.False(kit.Core.IsSequencer);
        Assert.Equal(NodeMode.Zombie, kit.Mode);
        Assert.Contains("is not what a majority has", kit.Trouble, StringComparison.Ordinal);
    }

    [Fact]
    public void A_follower_whose_data_differs_takes_no_part_until_the_others_show_that_they_do_without_it()
    {
        var kit = Follower(2, log: 2, committed: 2);
        kit.Receive(1, Beat(1, kit.Now, committed: 2));
        Assert.Equal(NodeMode.Alive, kit.Mode);
        // The others agree with it.
        kit.Receive(1, Beat(1, kit.Now, committed: 2) with { Agreed = Mark(kit) });
        // Of a uid that it has no digest of it can say nothing.
        kit.Receive(1, Beat(1, kit.Now, committed: 2) with { Agreed = new DataMark(U(1), 77) });
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.Receive(1, Beat(1, kit.Now, committed: 2) with { Agreed = Mark(kit, change: 1) })
            .Where(e => e is not Effect.Warning).ToArray().Nothing();
        Assert.Equal(NodeMode.Zombie, kit.Mode);
        Assert.Contains("the data at uid 2 is not what a majority has", kit.Trouble, StringComparison.Ordinal);

        var without = View(2, 1, 3, [1, 3], (1, 1), (2, 3));
        kit.Receive(1, new Heartbeat(E(2), 1, U(2), 0, TimeSpan.Zero)).Exactly(
            To(1, new ViewWanted(E(2))), To(3, new ViewWanted(E(2))));
        kit.Receive(1, new InstallView(without)).Nothing();
        Assert.Contains(kit.Receive(3, new InstallView(without)), e => e is Effect.StartOver);
    }

    [Fact]
    public void One_that_is_not_in_sync_yet_is_no_part_of_a_majority()
    {
        var kit = Sequencer(inSync: [1, 2], log: 2);
        kit.WaitFor(e => e is Effect.Send { Message: Heartbeat { Committed.Value: 2 } });
        Tells(kit, 2, change: 1);
        Tells(kit, 3, change: 1);
        Assert.True(kit.Core.IsSequencer);
        Assert.Equal(default, Agreed(kit));
    }
}
