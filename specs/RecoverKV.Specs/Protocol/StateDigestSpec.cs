using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Protocol;

/// <summary>The digest by which replicas are compared.</summary>
public sealed class StateDigestSpec
{
    private static KeyValueState StateAfter(params WriteRequest[] requests)
    {
        var state = new KeyValueState();
        foreach (var request in requests) state.Apply(state.Applied.Next, request);
        return state;
    }

    private static WriteOperation Delete(string key) => new(OperationKind.Delete, key, default);

    private static WriteRequest Open => WriteRequestCodec.Create(0, 1, 0, []);

    [Fact]
    public void An_empty_state_has_digest_zero_also_after_its_last_key_is_deleted()
    {
        Assert.Equal(0UL, StateAfter(Open).Digest);
        Assert.Equal(0UL, StateAfter(Open, Write(1, 1, Put("k", "a")), Write(1, 2, Put("k", "b")), Write(1, 3, Delete("k"))).Digest);
    }

    [Fact]
    public void Keys_values_and_uids_are_all_in_it()
    {
        var digests = new[]
        {
            StateAfter(Open, Write(1, 1, Put("k", "a"))),
            StateAfter(Open, Write(1, 1, Put("k", "b"))),
            StateAfter(Open, Write(1, 1, Put("l", "a"))),
            StateAfter(Open, Write(1, 1, Put("k", "x")), Write(1, 2, Put("k", "a"))),
            StateAfter(Open, Write(1, 1, Put("k", "a"), Put("l", "a"))),
        }.Select(s => s.Digest).ToList();
        Assert.Equal(digests.Count, digests.Distinct().Count());
    }

    [Fact]
    public void What_was_overwritten_or_deleted_leaves_no_trace_in_it() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 2]).List[0, 30].Sample(steps =>
        {
            var requests = steps.Select((s, i) => s.Item2 == 0
                ? Write(1, i + 1, Delete($"k{s.Item1}"))
                : Write(1, i + 1, Put($"k{s.Item1}", $"v{s.Item2}"))).ToArray();
            // Only the last write of each key is done; the others' uids are taken by deletes of a key that is not there.
            var last = steps.Select((s, i) => (s.Item1, i)).GroupBy(s => s.Item1).Select(g => g.Max(s => s.i)).ToHashSet();
            var shorter = requests.Select((r, i) => last.Contains(i) ? r : Write(1, i + 1, Delete("absent"))).ToArray();
            Assert.Equal(StateAfter([Open, .. requests]).Digest, StateAfter([Open, .. shorter]).Digest);
        });
}
