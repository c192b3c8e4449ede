using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>What adds data is taken only while every in-sync member has room for it; what does not is taken
/// always.</summary>
public sealed class RoomSpec
{
    private const string NoMemory = "the memory of n1 is full (recoverkv.quota.memory)";

    // Each of the keys that are put here, with a value of two bytes, takes at most so much.
    private const long KeyBytes = 44 + 13 + 2 + 2 + 30;

    private static WriteRequest Delete(long number) =>
        WriteRequestCodec.Create(1, number, 0, [new WriteOperation(OperationKind.Delete, new("k2"), default)]);

    private static Func<ProtocolOptions, ProtocolOptions> Quota(long bytes) => o => o with { MemoryQuota = bytes };

    [Fact]
    public void What_is_under_way_counts_until_it_is_applied()
    {
        var kit = Sequencer(log: 1, options: Quota(3 * KeyBytes));
        kit.Submit(Ann, R(2), R(3), R(4));
        kit.Submit(Bob, R(5)).Exactly(Refuses(Bob, R(5), WriteStatus.Full, NoMemory));
        kit.AllAcknowledge(2);
        kit.AllAcknowledge(4);
        // What it takes in truth is less than the most that it could.
        Assert.InRange(kit.Core.State.Bytes, 1, 3 * KeyBytes - 1);
        kit.Submit(Bob, R(5)).Exactly(Refuses(Bob, R(5), WriteStatus.Full, NoMemory));
        Assert.Equal($"the store is full: {NoMemory}", Sequencer(log: 1, options: Quota(0)).Trouble);
    }

    [Fact]
    public void Deletions_are_taken_and_make_room()
    {
        var kit = Sequencer(log: 1, options: Quota(2 * KeyBytes));
        kit.Submit(Ann, R(2), R(3));
        kit.AllAcknowledge(2);
        kit.AllAcknowledge(3);
        kit.Submit(Ann, R(4)).Exactly(Refuses(Ann, R(4), WriteStatus.Full, NoMemory));
        kit.Submit(Ann, Delete(5));
        Assert.Contains(kit.AllAcknowledge(4), e => e is Effect.AnswerWrite { Answer.Status: WriteStatus.Done });
        Assert.DoesNotContain(kit.Submit(Ann, R(4)), e => e is Effect.AnswerWrite);
    }

    [Fact]
    public void A_retry_of_what_was_taken_gets_its_answer()
    {
        var kit = Sequencer(log: 1);
        kit.Submit(Ann, R(2));
        kit.DiskRoom("1 MiB is left").Nothing();
        // It is under way, and then done.
        kit.Submit(Ann, R(2)).Nothing();
        Assert.Contains(Text.Of(Answers(Ann, 2)), kit.AllAcknowledge(2).Select(Text.Of));
        kit.Submit(Ann, R(2)).Exactly(Answers(Ann, 2));
    }

    [Fact]
    public void The_disk_of_the_sequencer_counts_and_reads_go_on()
    {
        var kit = Sequencer(log: 1);
        kit.DiskRoom("1 MiB is left").Nothing();
        kit.Submit(Ann, R(2)).Exactly(Refuses(Ann, R(2), WriteStatus.Full, "the disk of n1 is full: 1 MiB is left"));
        Assert.Equal("the store is full: the disk of n1 is full: 1 MiB is left", kit.Trouble);
        kit.Run(500, contiguous: 1, 2, 3);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.DiskRoom(null).Nothing();
        Assert.Null(kit.Trouble);
        Assert.DoesNotContain(kit.Submit(Ann, R(2)), e => e is Effect.AnswerWrite);
    }

    [Theory]
    [InlineData(Lack.Memory, "the memory of n2 is full (recoverkv.quota.memory)")]
    [InlineData(Lack.Disk, "the disk of n2 is full")]
    [InlineData(Lack.Memory | Lack.Disk, "the disk of n2 is full")]
    public void An_in_sync_member_without_room_counts(Lack lack, string reason)
    {
        var kit = Sequencer(log: 1);
        kit.Receive(2, Ack(kit, 2, round: 1, contiguous: 1) with { Lacks = lack });
        kit.Submit(Ann, R(2)).Exactly(Refuses(Ann, R(2), WriteStatus.Full, reason));
        kit.Receive(2, Ack(kit, 2, round: 2, contiguous: 1));
        Assert.DoesNotContain(kit.Submit(Ann, R(2)), e => e is Effect.AnswerWrite);
    }

    [Fact]
    public void A_member_that_is_not_in_sync_holds_up_nobody()
    {
        var kit = Sequencer(inSync: [1, 2], log: 1);
        kit.Receive(3, Ack(kit, 2, round: 1, contiguous: 0) with { Lacks = Lack.Disk });
        Assert.DoesNotContain(kit.Submit(Ann, R(2)), e => e is Effect.AnswerWrite);
    }

    [Fact]
    public void A_follower_says_what_it_lacks()
    {
        var kit = Follower(2, log: 3, committed: 3, options: Quota(1));
        Assert.Equal(Lack.Memory, Told(kit));
        kit.DiskRoom("1 MiB is left").Nothing();
        Assert.Equal(Lack.Memory | Lack.Disk, Told(kit));
        Assert.Equal("has no room on its disk: 1 MiB is left", kit.Trouble);
    }

    private static Lack Told(CoreKit kit) =>
        kit.Receive(1, Beat(1, committed: 3)).SentTo(1).OfType<HeartbeatAck>().Single().Lacks;

    [Fact]
    public void What_the_disk_keeps_for_peers_is_given_up_where_it_is_full()
    {
        var kit = Sequencer(log: 10, options: o => o with { LogBytesInMemory = 0, PieceBytes = 1 });
        kit.AllAcknowledge(10);
        Assert.Equal(Uid.Zero, Base(kit).Compacted);
        kit.DiskRoom("1 MiB is left");
        Assert.Equal(U(10), Base(kit).Compacted);
    }

    private static LogBase Base(CoreKit kit)
    {
        var made = kit.Core.BeginCheckpoint()!;
        kit.Core.ForgetCheckpoint();
        return made.Base;
    }
}
