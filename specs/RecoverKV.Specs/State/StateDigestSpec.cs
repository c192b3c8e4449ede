using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.State;

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
        Assert.Equal(
            0UL,
            StateAfter(Open, Write(1, 1, Put("k", "a")), Write(1, 2, Put("k", "b")), Write(1, 3, Delete("k"))).Digest);
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
            WriteRequest Step(int i, string value) => steps[i].Item2 == 0
                ? Write(1, i + 1, Delete($"k{steps[i].Item1}"))
                : Write(1, i + 1, Put($"k{steps[i].Item1}", value));
            var last = Enumerable.Range(0, steps.Count).GroupBy(i => steps[i].Item1).Select(g => g.Max()).ToHashSet();
            var requests = Enumerable.Range(0, steps.Count).Select(i => Step(i, $"v{steps[i].Item2}"));
            var others = Enumerable.Range(0, steps.Count)
                .Select(i => Step(i, last.Contains(i) ? $"v{steps[i].Item2}" : "another"));
            Assert.Equal(StateAfter([Open, .. requests]).Digest, StateAfter([Open, .. others]).Digest);
        });

    [Fact]
    public void How_often_a_key_was_put_and_when_it_came_to_be_are_in_it()
    {
        var digests = new[]
        {
            StateAfter(Open, Write(1, 1, Delete("x")), Write(1, 2, Put("k", "a"))),
            StateAfter(Open, Write(1, 1, Put("x", "a")), Write(1, 2, Put("k", "a"), Delete("x"))),
            StateAfter(Open, Write(1, 1, Put("k", "a")), Write(1, 2, Put("k", "a"))),
            StateAfter(Open, Write(1, 1, Put("k", "b"), Put("k", "c")), Write(1, 2, Put("k", "a"))),
        }.Select(s => (s.Digest, s.Find("k")!.Uid)).ToList();
        Assert.All(digests, d => Assert.Equal(3, d.Uid));
        Assert.Equal(digests.Count, digests.Distinct().Count());
    }
}
