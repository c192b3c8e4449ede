using RecoverKV.Actors.Replica;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Replica;

public sealed class OtherStoreSpec
{
    private static readonly Guid Own = Guid.NewGuid(), Other = Guid.NewGuid();

    private static readonly ClusterView View = new(0, 3, "a", [new("a", "h", 1, true)], 10, 10, Own);

    [Fact]
    public void R12_nothing_of_a_batch_for_another_store_is_done_and_the_view_says_whose_store_it_is()
    {
        var requests = Enumerable.Range(1, 3).Select(n => WriteRequestCodec.Create(7, n, 1, [])).ToArray();
        var writes = Assert.IsType<WriteReplies>(Refusal(new WriteBatch(requests, Other)));
        Assert.Equal([1L, 2L, 3L], writes.Answers.Select(a => a.Number));
        Assert.All(writes.Answers, a => Assert.Equal((7, WriteStatus.OtherStore), (a.Session, a.Status)));
        Assert.Equal(View, writes.View);

        var reads = Assert.IsType<ReadReplies>(
            Refusal(new ReadBatch(ReadConsistency.Stale, [new Read(4, ["k"]), new Read(5, ["l"])], Other)));
        Assert.Equal(
            [(4L, ReadStatus.OtherStore), (5L, ReadStatus.OtherStore)], reads.Answers.Select(a => (a.Id, a.Status)));
        Assert.Equal(View, reads.View);

        var page = Assert.IsType<ScanReply>(
            Refusal(new ScanRequest(6, ReadConsistency.Linearizable, default, 9, Other)));
        Assert.Equal((6, ReadStatus.OtherStore, View), (page.Id, page.Status, page.View));
    }

    [Fact]
    public void R12_a_batch_for_this_store_or_of_a_client_that_knows_none_is_served()
    {
        foreach (var store in new[] { Own, Guid.Empty })
        {
            Assert.Null(Refusal(new WriteBatch([], store)));
            Assert.Null(Refusal(new ReadBatch(ReadConsistency.Stale, [], store)));
            Assert.Null(Refusal(new ScanRequest(6, ReadConsistency.Linearizable, default, 9, store)));
        }

        Assert.Null(OtherStore.Refusal(new WriteBatch([], Other), Guid.Empty, () => View));
        Assert.Null(Refusal(new NodeStatusRequest(1)));
    }

    private static IClientMessage? Refusal(object message) => OtherStore.Refusal(message, Own, () => View);
}
