using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Specs.Serialization;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>Messages that no replica sends are refused before anything looks at them.</summary>
public sealed class WellFormedSpec
{
    private const long Huge = long.MaxValue;

    private static View With(params (long Epoch, long First)[] history) => View(1, 1, 3, [1, 2, 3], history);

    public static TheoryData<PeerMessage> Malformed =>
    [
        new Fetch(E(1), 1, Range(-5, 3)),
        new Fetch(E(1), 1, Range(0, 3)),
        new Fetch(E(1), 1, Range(3, 2)),
        new Fetch(E(1), 1, Range(1, Huge)),
        new Fetch(E(1), 1, Range(Huge, Huge)),
        new Fetch(E(-1), 1, Range(1, 2)),
        new Append(E(1), new Batch(E(1), U(Huge), Rs(1, 3)), U(0)),
        new Append(E(1), new Batch(E(1), U(0), Rs(1, 3)), U(0)),
        new Append(E(1), new Batch(E(1), U(-2), Rs(1, 3)), U(0)),
        new Append(E(1), new Batch(E(1), U(1), []), U(0)),
        new Append(
            E(1), new Batch(E(1), U(1), [RecoverKV.Client.Contracts.WriteRequestCodec.Create(0, 0, 0, [])]), U(0)),
        new Append(E(1), Batch(1, 1, 2), U(Huge)),
        new Append(E(1), Batch(1, 1, 2), U(-1)),
        new Entries(E(1), 1, [Batch(1, 1, 2), new Batch(E(1), U(Huge - 1), Rs(1, 3))]),
        new Appended(E(1), U(Huge), U(Huge)),
        new Commit(E(1), U(Huge)),
        new Commit(E(Huge), U(1)),
        new Heartbeat(E(1), 1, U(Huge), 0, TimeSpan.Zero),
        new Heartbeat(E(1), 1, U(0), CoreKit.Run, TimeSpan.MaxValue),
        new HeartbeatAck(E(1), 1, 1, TimeSpan.MinValue, U(0), U(0)),
        new RequestPromise(E(Huge), E(0)),
        new Canvass(E(Huge), E(0), E(0)),
        new Refuse(E(1), E(Huge)),
        new Promise(E(1), View1(), U(Huge), U(0)),
        new Synchronize(E(1), View1(), U(Huge), Node(1)),
        new Synchronize(E(1), With((1, 5), (2, 5)), U(1), Node(1)),
        new InstallView(With((1, 9), (2, 3))),
        new InstallView(With((1, Huge))),
        // No store has come so far while a replica was away.
        new RequestPromise(E(2 + WellFormed.EpochsAhead), E(0)),
        new Refuse(E(1), E(2 + WellFormed.EpochsAhead)),
        new Heartbeat(E(1), 1, U(4 + WellFormed.UidsAhead), 0, TimeSpan.Zero),
        new Commit(E(1), U(4 + WellFormed.UidsAhead)),
        new Append(E(1), new Batch(E(1), U(4 + WellFormed.UidsAhead), Rs(1, 3)), U(0)),
        new InstallView(With((1, 4 + WellFormed.UidsAhead))),
    ];

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_message_has_no_effect_but_one_line_for_each_sender(PeerMessage message)
    {
        Assert.False(new WellFormed(E(1), U(3)).Check(message));
        var kit = Follower(2, log: 3, committed: 3);
        var (before, view) = (kit.Core.PromisedEpoch, kit.Core.View);
        kit.Core.Receive(kit.Now, kit.Core.HeaderTo(Node(2)) with { From = Member(1) }, message);
        Assert.IsType<Effect.Notice>(Assert.Single(kit.Core.Effects));
        kit.Receive(1, message).Nothing();
        Assert.Equal((before, view, U(3)), (kit.Core.PromisedEpoch, kit.Core.View, kit.Core.Applied));
    }

    [Fact]
    public void Who_was_away_for_long_takes_what_may_have_happened_meanwhile()
    {
        var kit = Follower(2, log: 3, committed: 3);
        kit.Receive(1, new RequestPromise(E(1 + WellFormed.EpochsAhead), E(0)));
        Assert.Equal(E(1 + WellFormed.EpochsAhead), kit.Core.PromisedEpoch);
    }

    [Fact]
    public void What_no_node_of_this_configuration_sends_is_not_looked_at()
    {
        var kit = Follower(2, log: 3, committed: 3);
        kit.Receive(Member(9), new Fetch(E(1), 1, Range(1, 2)))
            .Exactly(new Effect.Warning($"{Member(9)} is no node of recoverkv.members"));
        kit.Receive(Member(9), new RequestPromise(E(9), E(1))).Nothing();
        Assert.Equal(E(1), kit.Core.PromisedEpoch);
    }

    public static TheoryData<Type> Types => Generators.TypesOf<PeerMessage>();

    [Theory]
    [MemberData(nameof(Types))]
    public void No_message_makes_a_replica_fail_or_work_without_end(Type type) =>
        Gen.Select(Generators.Messages[type], Gen.Int[1, 3], Gen.Int[0, 2]).Sample((message, from, role) =>
        {
            var kit = role switch
            {
                0 => Follower(2, log: 5, committed: 3, options: o => o with { LogBytesInMemory = 0 }),
                1 => Zombie([Batch(1, 1, 2), Batch(1, 6, 7)]),
                _ => Sequencer(log: 2),
            };
            kit.Receive(from, message);
            kit.Receive(from, message);
            kit.Wait(20);
        }, iter: 300);
}
