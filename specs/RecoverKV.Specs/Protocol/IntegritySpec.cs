using System.Runtime.InteropServices;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R11, integrity: replicas at one uid have the same data; who does not have what most have is out of
/// service.</summary>
public sealed class IntegritySpec
{
    private static readonly StateSlice All = new(default, default);

    private static DataMark Mark(CoreKit kit, long round, StateSlice? slice = null) =>
        new(kit.Core.Applied, kit.Core.Digest, round, slice is null ? 0 : kit.Core.State.DigestOf(slice));

    private static (CoreKit Kit, Heartbeat Beat) Leader(int[]? inSync = null)
    {
        var kit = Sequencer(inSync: inSync, log: 4);
        // The next heartbeat is of the uid that the tenure began with.
        return (kit, NextBeat(kit, b => b.Committed == U(4)));
    }

    private static Heartbeat NextBeat(CoreKit kit, Predicate<Heartbeat> which) =>
        kit.WaitFor(e => e is Effect.Send { Message: Heartbeat b } && which(b))
            .SentTo(2).OfType<Heartbeat>().Single(b => which(b));

    private static Effect[] Tells(CoreKit kit, int node, DataMark mark, long round = 0) => kit.Receive(
        node, Ack(kit, 2, round == 0 ? mark.Round : round, contiguous: 4) with { Mark = mark });

    private static DataMark Agreed(CoreKit kit) => NextBeat(kit, _ => true).Agreed;

    [Fact]
    public void A_follower_tells_its_digest_at_the_committed_uid_of_a_heartbeat()
    {
        var kit = Zombie([Batch(1, 1, 2)]);
        Assert.Equal(default, Told(kit, Beat(1)));
        var told = Told(kit, Beat(1, round: 2, committed: 2));
        Assert.Equal((Mark(kit, 2), U(2)), (told, told.At));
        // Not before it has applied it.
        Assert.Equal(told, Told(kit, Beat(1, round: 3, committed: 4)));
        kit.Receive(1, Append(1, 3, 5, committed: 5));
        Assert.Equal(told, Told(kit, Beat(1, round: 4, committed: 4)));
        kit.DiskCatchesUp();
        Assert.Equal(U(5), kit.Core.Applied);
        told = Told(kit, Beat(1, round: 4, committed: 4));
        Assert.Equal((U(4), 4), (told.At, told.Round));
        told = Told(kit, Beat(1, round: 5, committed: 5));
        Assert.Equal(Mark(kit, 5), told);
        // A late heartbeat is of a uid that it has passed.
        Assert.Equal(told, Told(kit, Beat(1, round: 2, committed: 3)));
    }

    [Fact]
    public void And_that_of_the_slice_that_the_heartbeat_names()
    {
        var kit = Zombie([Batch(1, 1, 5)]);
        var told = Told(kit, Beat(1, round: 1, committed: 5).OfAll());
        Assert.Equal(Mark(kit, 1, All), told);
        Assert.Equal(kit.Core.Digest, told.Slice);
        // Of the keys k2 to k5; also where nothing was written meanwhile.
        var some = new StateSlice("k3"u8.ToArray(), "k5"u8.ToArray());
        told = Told(kit, Beat(1, round: 2, committed: 5) with { Slice = some });
        Assert.Equal(Mark(kit, 2, some), told);
        Assert.NotEqual(kit.Core.Digest, told.Slice);
        // What was told to one sequencer is not told to the next.
        kit.Receive(2, new InstallView(View(2, 2, 3, [1, 2], (1, 1), (2, 6))));
        kit.DiskCatchesUp();
        Assert.Equal(default, kit.Receive(2, Beat(2, round: 9, committed: 2)).SentTo(2).OfType<HeartbeatAck>()
            .Single().Mark);
    }

    private static DataMark Told(CoreKit kit, Heartbeat beat) =>
        kit.Receive(1, beat).SentTo(1).OfType<HeartbeatAck>().Single().Mark;

    [Fact]
    public void Nothing_is_said_while_all_have_the_same()
    {
        var (kit, beat) = Leader();
        var mark = Mark(kit, beat.Round, beat.Slice);
        Assert.DoesNotContain(Tells(kit, 2, mark), e => e is Effect.Warning);
        Assert.DoesNotContain(Tells(kit, 3, mark), e => e is Effect.Warning);
        Assert.Equal(default, Agreed(kit));
        Assert.Null(kit.Trouble);
    }

    [Fact]
    public void One_slice_behind_the_other_all_is_compared()
    {
        var state = new KeyValueState();
        for (var uid = 1; uid <= 2501; uid++) state.Apply(U(uid), R(uid));
        var slices = new List<StateSlice> { state.SliceBehind(null) };
        while (state.SliceBehind(slices[^1]) is { From.IsEmpty: false } next) slices.Add(next);
        Assert.Equal(3, slices.Count);
        Assert.Equal(slices.Skip(1).Select(s => Text.Of(s.From)), slices.SkipLast(1).Select(s => Text.Of(s.To)));
        Assert.True(slices[^1].To.IsEmpty);
        Assert.Equal(state.Digest, slices.Aggregate(0UL, (sum, s) => sum + state.DigestOf(s)));
        // Of a damaged one that has far more than it should only the begin is looked at.
        Assert.Equal(state.Digest, state.DigestOf(new StateSlice(default, default)));
        for (var uid = 2502; uid <= 5000; uid++) state.Apply(U(uid), R(uid));
        Assert.NotEqual(state.Digest, state.DigestOf(new StateSlice(default, default)));
    }

    [Fact]
    public void The_bounds_of_a_slice_stay_short_whatever_keys_there_are()
    {
        var state = new KeyValueState();
        state.Apply(U(1), R(1));
        var number = 1L;
        void Do(string key) => state.Apply(U(++number), Write(1, number, Put(key, "v")));
        for (var i = 0; i < 3000; i++) Do($"{new string('p', i % 10 == 0 ? 2000 : 9)}{i}");
        var slices = new List<StateSlice> { state.SliceBehind(null) };
        while (state.SliceBehind(slices[^1]) is { From.IsEmpty: false } next) slices.Add(next);
        Assert.All(slices, s => Assert.InRange(s.To.Length, 0, 256));
        Assert.Equal(state.Digest, slices.Aggregate(0UL, (sum, s) => sum + state.DigestOf(s)));
        // Of thousands that differ behind that only, some are never looked at; it still comes to an end.
        for (var i = 0; i < 6000; i++) Do($"{new string('q', 300)}{i}");
        var last = state.SliceBehind(null);
        for (var steps = 0; !last.To.IsEmpty; steps++, last = state.SliceBehind(last)) Assert.InRange(steps, 0, 20);
    }

    [Theory]
    [InlineData("", "", "keys from the first one to the last one")]
    [InlineData("a\nb", "", "keys from 'a?b' to the last one")]
    [InlineData("", "b", "keys from the first one to below 'b'")]
    public void A_slice_is_said_in_one_line(string from, string to, string words)
    {
        ReadOnlyMemory<byte> Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);
        Assert.Equal(words, new StateSlice(Bytes(from), Bytes(to)).ToString());
        var longKey = new StateSlice(default, Bytes(new string('k', 99)));
        Assert.EndsWith("k...'", longKey.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_majority_has_is_told_when_somebody_has_something_else()
    {
        var (kit, beat) = Leader();
        var mark = Mark(kit, beat.Round, beat.Slice);
        // Of two nobody knows whose is right.
        var warned = Assert.Single(Tells(kit, 3, mark with { Digest = 1 }).OfType<Effect.Warning>());
        Assert.Contains("the data at uid 4 of n1, n3 is not the same", warned.Text, StringComparison.Ordinal);
        Assert.Contains("no majority tells whose is right", kit.Trouble, StringComparison.Ordinal);
        Assert.Equal(default, Agreed(kit));
        Tells(kit, 2, mark, round: beat.Round + 1);
        Assert.Equal(mark, Agreed(kit));
        Assert.True(kit.Core.IsSequencer);
    }

    [Fact]
    public void Of_a_slice_it_is_named()
    {
        var (kit, beat) = Leader();
        var mark = Mark(kit, beat.Round, beat.Slice);
        var warned = Assert.Single(Tells(kit, 3, mark with { Slice = 1 }).OfType<Effect.Warning>());
        Assert.Contains(
            "the data at uid 4 (keys from the first one to the last one) of n1, n3", warned.Text,
            StringComparison.Ordinal);
        // What was asked with another round is not compared with it.
        Assert.DoesNotContain(
            Tells(kit, 2, mark with { Round = beat.Round + 1, Slice = 2 }), e => e is Effect.Warning);
    }

    [Fact]
    public void A_sequencer_whose_data_differs_steps_down()
    {
        var (kit, beat) = Leader();
        var mark = Mark(kit, beat.Round, beat.Slice) with { Digest = 1 };
        Tells(kit, 2, mark);
        Assert.Contains(Tells(kit, 3, mark), e => e is Effect.Warning);
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
        kit.Receive(1, Beat(1, kit.Now, committed: 2) with { Agreed = Mark(kit, 1) });
        // Of a uid that it has no digest of it can say nothing, nor of a round that it has not heard.
        kit.Receive(1, Beat(1, kit.Now, committed: 2) with { Agreed = new DataMark(U(1), 77, 1) });
        kit.Receive(1, Beat(1, kit.Now, committed: 2) with { Agreed = new DataMark(U(2), 77, 8) });
        Assert.Equal(NodeMode.Alive, kit.Mode);
        Disagrees(kit, Mark(kit, 1) with { Digest = 77 });
        Assert.Contains("the data at uid 2 is not what a majority has", kit.Trouble, StringComparison.Ordinal);

        var without = View(2, 1, 3, [1, 3], (1, 1), (2, 3));
        kit.Receive(1, new Heartbeat(E(2), 1, U(2), 0, TimeSpan.Zero)).Exactly(
            To(1, new ViewWanted(E(2))), To(3, new ViewWanted(E(2))));
        kit.Receive(1, new InstallView(without)).Nothing();
        Assert.Contains(kit.Receive(3, new InstallView(without)), e => e is Effect.StartOver);
    }

    [Fact]
    public void A_value_that_has_changed_in_memory_is_found_although_its_digest_was_right_when_it_was_written()
    {
        var (kit, healthy) = (Follower(2, log: 4, committed: 4), Follower(3, log: 4, committed: 4));
        var ask = Beat(1, kit.Now, committed: 4) with { Slice = new StateSlice("k3"u8.ToArray(), default) };
        MemoryMarshal.AsMemory(kit.Core.State.Find("k4")!.Value).Span[1] ^= 0x10;
        kit.Receive(1, ask);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        Assert.Equal(healthy.Core.Digest, kit.Core.Digest);
        Disagrees(kit, Mark(healthy, 1, ask.Slice));
        Assert.Contains(
            "the data at uid 4 (keys from 'k3' to the last one) is not what a majority has", kit.Trouble,
            StringComparison.Ordinal);
    }

    private static void Disagrees(CoreKit kit, DataMark agreed)
    {
        var warning = Assert.Single(
            kit.Receive(1, Beat(1, kit.Now, committed: agreed.At.Value, round: 2) with { Agreed = agreed }));
        Assert.IsType<Effect.Warning>(warning);
        Assert.Equal(NodeMode.Zombie, kit.Mode);
    }

    [Fact]
    public void One_that_is_not_in_sync_yet_is_no_part_of_a_majority()
    {
        var (kit, beat) = Leader([1, 2]);
        var mark = Mark(kit, beat.Round, beat.Slice) with { Digest = 1 };
        Tells(kit, 2, mark);
        Tells(kit, 3, mark);
        Assert.True(kit.Core.IsSequencer);
        Assert.Equal(default, Agreed(kit));
    }
}
