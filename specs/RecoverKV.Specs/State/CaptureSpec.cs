using CsCheck;
using RecoverKV.Actors.State;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.State;

/// <summary>R10: a capture is the state at one uid, however much is written while it is handed over.</summary>
public sealed class CaptureSpec
{
    private static readonly SessionLimits Few = new() { Sessions = 3, AnswersPerSession = 2 };

    private readonly KeyValueState _state;
    private readonly SortedDictionary<Key, KeyRecord> _keys = [];
    private readonly Dictionary<long, SessionRecord> _sessions = [];

    public CaptureSpec() : this(100)
    {
    }

    private CaptureSpec(int mostGone) => _state = new KeyValueState(Few, mostGone: mostGone);

    private static WriteRequest Open => WriteRequestCodec.Create(0, 1, 0, []);

    // A write, or the opening of a session, which may evict another one.
    private static readonly Gen<WriteRequest> AnyRequest = Gen.Select(
        Gen.Int[0, 12], Gen.Int[1, 8], Gen.Select(Gen.Bool, Gen.Int[0, 6], Gen.Int[0, 40]).Array[1, 3],
        (session, number, changes) => session == 0
            ? Open
            : Write(session, number, [.. changes.Select(c => c.Item1
                ? Put($"k{c.Item2}", new string('v', c.Item3))
                : new WriteOperation(OperationKind.Delete, $"k{c.Item2}", default))]));

    private void Apply(WriteRequest request) => _state.Apply(_state.Applied.Next, request);

    private void Save(StateCapture capture, List<StatePart> parts)
    {
        if (capture.IsAll)
        {
            _keys.Clear();
            _sessions.Clear();
        }

        foreach (var part in parts)
        {
            foreach (var key in part.Deleted) _keys.Remove(key);
            foreach (var record in part.Keys) _keys[new Key(record.Key)] = record;
            foreach (var id in part.Ended) _sessions.Remove(id);
            foreach (var session in part.Sessions) _sessions[session.Id] = session;
        }
    }

    private KeyValueState Restored(StateCapture capture)
    {
        var state = new KeyValueState(Few);
        state.Reserve(capture.KeyCount);
        foreach (var r in _keys.Values)
            state.Restore(
                new Key(r.Key), r.Value.Span, r.Uid, r.Fields,
                KeyValueState.DigestOf(r.Key.Span, r.Value.Span, r.Uid, r.Fields));
        foreach (var session in _sessions.Values.OrderBy(s => s.Used)) state.Sessions.Restore(session);
        state.Restore(capture.Uid, capture.Revision);
        return state;
    }

    [Fact]
    public void What_is_restored_is_the_state_at_the_captures_uid_and_goes_on_like_it() =>
        // Each round: what is written before the capture, while it is handed over, and whether it is given up midway.
        Gen.Select(
            Gen.OneOf(Gen.Const(0), Gen.Int[1, 3], Gen.Const(100)),
            Gen.Select(AnyRequest.Array[0, 30], AnyRequest.Array[0, 30], Gen.Int[0, 9]).Array[1, 5]).Sample(
            (mostGone, rounds) =>
            {
                var spec = new CaptureSpec(mostGone);
                spec.Apply(Open);
                foreach (var (before, meanwhile, giveUp) in rounds)
                {
                    foreach (var request in before) spec.Apply(request);
                    var log = new List<WriteRequest>();
                    var capture = spec._state.Capture();
                    var expected = (capture.Uid, capture.Revision, capture.Digest, capture.KeyCount);
                    Assert.Equal(
                        (spec._state.Applied, spec._state.Revision, spec._state.Digest, (long)spec._state.Count),
                        expected);
                    var sessions = (spec._state.Sessions.Count, spec._state.Sessions.Bytes);
                    var parts = new List<StatePart>();
                    var writes = new Queue<WriteRequest>(meanwhile);
                    for (var steps = 0; capture.Next(1, 1000) is { } part; steps++)
                    {
                        if (giveUp == 1 && steps == 2) break;
                        parts.Add(part);
                        for (var i = 0; i < 2 && writes.TryDequeue(out var write); i++)
                        {
                            log.Add(write);
                            spec.Apply(write);
                        }
                    }

                    if (giveUp == 1)
                    {
                        spec._state.ForgetCapture();
                        continue;
                    }

                    spec.Save(capture, parts);
                    var restored = spec.Restored(capture);
                    Assert.Equal(
                        expected, (restored.Applied, restored.Revision, restored.Digest, (long)restored.Count));
                    Assert.Equal(sessions, (restored.Sessions.Count, restored.Sessions.Bytes));
                    // It goes on as the one that was captured did: the same answers, evictions and digests.
                    foreach (var request in log) restored.Apply(restored.Applied.Next, request);
                    Assert.Equal(
                        (spec._state.Applied, spec._state.Digest, spec._state.Revision,
                            spec._state.Sessions.Count, spec._state.Sessions.Bytes),
                        (restored.Applied, restored.Digest, restored.Revision,
                            restored.Sessions.Count, restored.Sessions.Bytes));
                }
            },
            iter: 1000);

    [Fact]
    public void A_capture_has_what_changed_since_the_one_before_and_all_after_one_that_was_given_up()
    {
        Apply(Open);
        for (var i = 0; i < 10; i++) Apply(Write(1, i + 1, Put($"k{i}", "v")));
        Assert.Equal(10, Keys(_state.Capture()));
        Assert.Equal(0, Keys(_state.Capture()));
        Apply(Write(1, 11, Put("k3", "w"), new WriteOperation(OperationKind.Delete, "k4", default)));
        Assert.Equal(1, Keys(_state.Capture()));
        _ = _state.Capture().Next(1, 1000);
        _state.ForgetCapture();
        var all = _state.Capture();
        Assert.True(all.IsAll);
        Assert.Equal(9, Keys(all));
        Assert.False(_state.Capture().IsAll);
    }

    private static int Keys(StateCapture capture)
    {
        var keys = 0;
        while (capture.Next(100, 1_000_000) is { } part) keys += part.Keys.Count;
        return keys;
    }
}
