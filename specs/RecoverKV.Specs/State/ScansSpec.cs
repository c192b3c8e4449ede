using CsCheck;
using RecoverKV.Actors.State;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.State;

/// <summary>Pages of the keys of a range, in their order.</summary>
public sealed class ScansSpec
{
    private readonly KeyValueState _state = new();
    private long _number;

    public ScansSpec() => _state.Apply(U(1), WriteRequestCodec.Create(0, 1, 0, []));

    private void Do(params WriteOperation[] operations) =>
        _state.Apply(_state.Applied.Next, Write(1, ++_number, operations));

    private static WriteOperation Delete(string key) => new(OperationKind.Delete, key, default);

    private List<string> All(KeyRange range, bool reverse, int page, Action? between = null)
    {
        var seen = new List<string>();
        var scan = new ScanRequest(1, ReadConsistency.Linearizable, default, page, Range: range, Reverse: reverse);
        do
        {
            var reply = _state.Answer(scan, long.MaxValue);
            Assert.Equal((ReadStatus.Done, _state.Applied.Value), (reply.Status, reply.Uid));
            seen.AddRange(reply.Items.Select(i => i.Key.ToString()));
            scan = scan with { Cursor = reply.Next };
            between?.Invoke();
        }
        while (!scan.Cursor.IsEmpty);
        return seen;
    }

    [Fact]
    public void A_range_is_read_in_the_order_of_bytes_and_backwards()
    {
        foreach (var key in new[] { "b", "a", "ab", "c", "B", "a\0" }) Do(Put(key, "v"));
        Assert.Equal(["B", "a", "a\0", "ab", "b", "c"], All(KeyRange.All, false, 10));
        Assert.Equal(["a", "a\0", "ab"], All(KeyRange.Prefix("a"), false, 2));
        Assert.Equal(["ab", "a\0", "a"], All(KeyRange.Prefix("a"), true, 1));
        Assert.Equal(["a", "a\0", "ab", "b"], All(KeyRange.Between("a", "c"), false, 10));
        Assert.Equal(["c", "b"], All(KeyRange.Between("b", null), true, 10));
        Assert.Equal(["B"], All(KeyRange.Between(null, "a"), true, 10));
        Assert.Empty(All(KeyRange.Between("a", "a"), false, 10));
        Assert.Empty(All(KeyRange.Prefix("d"), false, 10));
    }

    [Fact]
    public void A_prefix_of_highest_bytes_has_all_that_begin_with_it()
    {
        byte[][] keys = [[0xFE], [0xFF], [0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 1], [0xFE, 0xFF], [0xFE, 0xFF, 0]];
        foreach (var key in keys) Do(new WriteOperation(OperationKind.Put, key, default));
        static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexString(bytes.Span);
        string[] Under(params byte[] prefix) =>
            [.. _state.Answer(
                new ScanRequest(1, ReadConsistency.Stale, default, 10, Range: KeyRange.Prefix(prefix)), 1000)
                .Items.Select(i => Hex(i.Key.Bytes))];
        Assert.Equal(["FF", "FFFF", "FFFFFF01"], Under(0xFF));
        Assert.Equal(["FFFF", "FFFFFF01"], Under(0xFF, 0xFF));
        Assert.Equal(["FEFF", "FEFF00"], Under(0xFE, 0xFF));
        Assert.Equal(["FE", "FEFF", "FEFF00"], Under(0xFE));
    }

    [Fact]
    public void A_page_ends_at_the_bytes_that_it_may_have_but_has_one_item_at_least()
    {
        for (var i = 0; i < 5; i++) Do(Put($"k{i}", new string('v', 100)));
        var scan = new ScanRequest(1, ReadConsistency.Linearizable, default, 10);
        Assert.Equal(2, _state.Answer(scan, 300).Items.Count);
        Assert.Single(_state.Answer(scan, 1).Items);
    }

    [Fact]
    public void A_cursor_goes_on_behind_its_key_on_any_replica_also_when_the_key_is_gone()
    {
        for (var i = 0; i < 4; i++) Do(Put($"k{i}", "v"));
        var cursor = _state.Answer(new ScanRequest(1, ReadConsistency.Linearizable, default, 2), 1000).Next;
        var other = new ScansSpec();
        foreach (var key in new[] { "k0", "k1x", "k3" }) other.Do(Put(key, "v"));
        var page = other._state.Answer(new ScanRequest(1, ReadConsistency.Linearizable, cursor, 9), 1000);
        Assert.Equal(["k1x", "k3"], page.Items.Select(i => i.Key.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("key")]
    [InlineData("key ")]
    [InlineData("\u0001\0\0\0\0\0\0\0\u0002\0\0\0")] // of a build that numbered keys by their place in memory
    public void A_cursor_that_is_none_is_refused(string cursor)
    {
        var scan = new ScanRequest(1, ReadConsistency.Linearizable, System.Text.Encoding.UTF8.GetBytes(cursor), 9);
        Assert.Equal(cursor == "" ? ReadStatus.Done : ReadStatus.CursorLost, _state.Answer(scan, 1000).Status);
    }

    [Fact]
    public void Every_key_that_stays_comes_exactly_once_whatever_is_written_meanwhile() =>
        Gen.Select(Gen.Int[0, 20], Gen.Int[1, 5], Gen.Bool, Gen.Select(Gen.Bool, Gen.Int[0, 30]).Array[0, 40]).Sample(
            (stays, page, reverse, changes) =>
            {
                var spec = new ScansSpec();
                for (var i = 0; i < stays; i++) spec.Do(Put($"k{i:00} stays", "v"));
                var change = 0;
                var seen = spec.All(KeyRange.All, reverse, page, () =>
                {
                    for (var i = 0; i < 3 && change < changes.Length; i++, change++)
                    {
                        var (put, key) = changes[change];
                        spec.Do(put ? Put($"k{key:00} goes", "v") : Delete($"k{key:00} goes"));
                    }
                });

                Assert.Equal(seen.Distinct(), seen);
                Assert.Equal(
                    reverse ? seen.OrderDescending(StringComparer.Ordinal) : seen.Order(StringComparer.Ordinal), seen);
                Assert.Equal(
                    Enumerable.Range(0, stays).Select(i => $"k{i:00} stays"),
                    seen.Where(k => k.EndsWith("stays", StringComparison.Ordinal)).Order());
            },
            iter: 300);

    [Fact]
    public void Revisions_count_the_requests_that_changed_a_key()
    {
        Assert.Equal(1, _state.Revision);
        Do(Put("a", "1"), Put("b", "1"));
        Assert.Equal(2, _state.Revision);
        Do(new WriteOperation(OperationKind.Check, "a", default, 99));
        Do(Delete("absent"));
        _state.Apply(_state.Applied.Next, WriteRequestCodec.Create(0, 1, 0, []));
        Assert.Equal(2, _state.Revision);
        Do(Delete("a"), Put("a", "2"), Put("b", "2"));
        Assert.Equal((3L, 2), (_state.Revision, _state.Count));
    }
}
