using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Protocol;

/// <summary>R9 Sessions: a request takes effect at most once and gets its first answer; conditions; eviction.</summary>
public sealed class SessionsSpec
{
    private readonly KeyValueState _state = new();

    private WriteAnswer Apply(WriteRequest request) => _state.Apply(_state.Applied.Next, request);

    private long Open() => Apply(WriteRequestCodec.Create(0, 1, 0, [])).Uid;

    private static void Same(WriteAnswer expected, WriteAnswer actual) =>
        Assert.Equal(Text.Of(expected), Text.Of(actual));

    private static WriteAnswer Done(WriteRequest request, long uid, params Version?[] previous) =>
        new(request.Session, request.Number, WriteStatus.Done, uid, previous);

    [Fact]
    public void R9_a_session_is_named_by_the_uid_that_opened_it()
    {
        Assert.Equal(1, Open());
        Assert.Equal(2, Open());
        Assert.Equal(2, _state.Sessions.Count);
    }

    [Fact]
    public void R9_a_retry_gets_the_first_answer_and_changes_nothing()
    {
        var session = Open();
        var first = Ask(session, 1, Put("k", "one"));
        var second = Ask(session, 2, Put("k", "two"));
        Same(Done(first, 2, [null]), Apply(first));
        Same(Done(second, 3, V("one", 2)), Apply(second));
        Same(Done(first, 2, [null]), Apply(first));
        Same(Done(second, 3, V("one", 2)), Apply(second));
        Assert.Equal((V("two", 3).Uid, U(5)), (_state.Find("k")!.Uid, _state.Applied));
    }

    [Fact]
    public void R9_a_retry_of_what_is_done_is_answered_at_once_by_any_sequencer()
    {
        // Uid 2 was numbered and answered by n1; n2 applied it as a follower, and leads now.
        var kit = Follower(2, log: 2, committed: 2);
        kit.Submit(Ann, R(2)).Exactly(Refuses(Ann, R(2), WriteStatus.NotSequencer));
        kit.WaitFor(Sends<Canvass>);
        kit.Succeed(2, [Member(3)], [Member(3)], View1(), contiguous: 2);
        kit.Submit(Ann, R(2)).Exactly(Answers(Ann, 2, at: 2));
        Assert.Equal(1, kit.Core.KeyCount);
    }

    [Fact]
    public void R9_a_retry_whose_answer_is_gone_is_answered_through_the_log()
    {
        var kit = Sequencer(log: 2);
        var next = WriteRequestCodec.Create(1, 3, lowWater: 3, [Put("k", "v")]);
        kit.Submit(Ann, next);
        kit.AllAcknowledge(3);
        var again = new Batch(E(2), U(4), [R(2)]);
        kit.Submit(Ann, R(2)).Exactly(
            Journals(new EntriesAppended(again, U(3))), To(2, new Append(E(2), again, U(3))),
            To(3, new Append(E(2), again, U(3))));
        Assert.Equal(Text.Of(Refuses(Ann, R(2), WriteStatus.Expired)), Text.Of(kit.AllAcknowledge(4)[0]));
    }

    [Fact]
    public void R9_a_retry_of_what_an_earlier_tenure_left_in_the_log_is_not_logged_again()
    {
        // n1 hands over to n2, which waits for the lease of n3 before it commits uid 3 of n1's tenure.
        var kit = Follower(2, log: 3, committed: 2);
        kit.Receive(1, new Handover(E(1)));
        kit.Succeed(2, [Member(1)], [Member(1)], View1(), contiguous: 3, committed: 2);
        Assert.Equal((true, U(2)), (kit.Core.IsSequencer, kit.Core.Applied));
        kit.Submit(Ann, R(3)).Nothing();
        kit.Submit(Bob, R(3)).Nothing();
        var answered = kit.RunUntil(e => e is Effect.AnswerWrite, contiguous: 3, 1);
        Assert.Equal(Text.Of(Answers(Bob, 3)), Text.Of(answered.Single(e => e is Effect.AnswerWrite)));
        Assert.DoesNotContain(answered, e => e is Effect.Journal);
    }

    [Fact]
    public void R9_a_retry_of_a_request_under_way_only_changes_who_gets_the_answer()
    {
        var kit = Sequencer(log: 1);
        kit.Submit(Ann, R(2));
        kit.Submit(Bob, R(2)).Nothing();
        kit.AllAcknowledge(2).Exactly(Answers(Bob, 2), To(2, new Commit(E(2), U(2))), To(3, new Commit(E(2), U(2))));
    }

    [Fact]
    public void R9_numbers_may_come_in_any_order()
    {
        var session = Open();
        var (two, one) = (Ask(session, 2, Put("k", "two")), Ask(session, 1, Put("k", "one")));
        Same(Done(two, 2, [null]), Apply(two));
        Same(Done(one, 3, V("two", 2)), Apply(one));
    }

    [Fact]
    public void R9_below_the_low_water_mark_answers_are_forgotten_and_requests_expired()
    {
        var session = Open();
        for (var number = 1; number <= 4; number++) Apply(Write(session, number, Put("k", $"{number}")));
        Apply(WriteRequestCodec.Create(session, 5, lowWater: 4, [Put("k", "5")]));
        Assert.Equal(WriteStatus.Expired, Apply(Write(session, 3, Put("k", "3"))).Status);
        Same(Done(Write(session, 4), 5), Apply(Write(session, 4, Put("k", "4"))));
        // The mark never falls, and a number above it that never came is executed.
        Apply(WriteRequestCodec.Create(session, 900, lowWater: 2, [Put("k", "900")]));
        Assert.Equal(WriteStatus.Expired, Apply(Write(session, 3, Put("k", "3"))).Status);
        Assert.Equal(WriteStatus.Done, Apply(Write(session, 6, Put("k", "6"))).Status);
        // A mark far above all that came.
        Apply(WriteRequestCodec.Create(session, long.MaxValue, lowWater: long.MaxValue, [Put("k", "last")]));
        Assert.Equal(WriteStatus.Expired, Apply(Write(session, 900, Put("k", "x"))).Status);
        Assert.Equal("last", System.Text.Encoding.UTF8.GetString(_state.Find("k")!.Value.Span));
    }

    [Fact]
    public void R9_an_unknown_session_gets_an_error_and_no_execution()
    {
        Open();
        // Uid 2 opened nothing.
        var answer = Apply(Write(2, 1, Put("k", "v")));
        Same(new WriteAnswer(2, 1, WriteStatus.SessionUnknown, 0, []), answer);
        Assert.Equal((0, U(2)), (_state.Count, _state.Applied));
    }

    [Fact]
    public void R9_the_least_recently_used_session_is_evicted_and_never_revived()
    {
        var (first, second) = (Open(), Open());
        for (var i = 2; i < SessionLimits.Standard.Sessions; i++) Open();
        Assert.Equal(WriteStatus.Done, Apply(Write(first, 1, Put("k", "one"))).Status);
        Open();
        Assert.Equal(10_000, _state.Sessions.Count);
        Assert.Equal(WriteStatus.SessionUnknown, Apply(Write(second, 1, Put("k", "two"))).Status);
        Assert.Equal(10_001, _state.Find("k")!.Uid);
        // A retry counts as use, too.
        Same(Done(Write(first, 1), 10_001), Apply(Write(first, 1, Put("k", "one"))));
    }

    [Fact]
    public void R9_a_session_that_never_raises_its_mark_loses_its_oldest_answers()
    {
        var session = Open();
        for (var number = 1; number <= 4097; number++) Apply(Write(session, number, Put("k", "v")));
        Assert.Equal(WriteStatus.Expired, Apply(Write(session, 1, Put("k", "v"))).Status);
        Assert.Equal(3, Apply(Write(session, 2, Put("k", "v"))).Uid);
    }

    [Theory]
    [InlineData(2_000_000_000)]
    [InlineData(1L << 62)]
    [InlineData(long.MaxValue - 5000)]
    public void R9_whatever_numbers_a_client_chooses_the_oldest_answer_is_the_one_with_the_lowest(long from)
    {
        var session = Open();
        for (var number = from; number < from + 5000; number++) Apply(Write(session, number, Put("k", "v")));
        // The last 4,096 of 5,000; this took a step for each answer, and none for the numbers that nobody used.
        Assert.Equal(WriteStatus.Expired, Apply(Write(session, from + 903, Put("k", "v"))).Status);
        Assert.Equal(906, Apply(Write(session, from + 904, Put("k", "v"))).Uid);
        Assert.Equal(WriteStatus.Expired, Apply(Write(session, 1, Put("k", "v"))).Status);
        Assert.Equal(4096 * SessionTable.AnswerBytes, _state.Sessions.Bytes);
    }

    [Fact]
    public void R9_answers_are_kept_and_forgotten_in_the_order_of_their_numbers() =>
        Gen.Select(Gen.Int[1, 6], Gen.Select(Gen.Int[1, 40], Gen.Int[0, 40]).Array[0, 60]).Sample((most, requests) =>
        {
            var state = new KeyValueState(new SessionLimits { AnswersPerSession = most });
            state.Apply(U(1), R(1));
            var (kept, lowWater) = (new SortedDictionary<long, long>(), 1L);
            foreach (var (number, low) in requests)
            {
                var uid = state.Applied.Next;
                var answer = state.Apply(uid, WriteRequestCodec.Create(1, number, low, [Put("k", "v")]));
                lowWater = Math.Max(lowWater, low);
                foreach (var gone in kept.Keys.Where(n => n < low).ToArray()) kept.Remove(gone);
                if (number < lowWater)
                {
                    Assert.Equal(WriteStatus.Expired, answer.Status);
                    continue;
                }

                Assert.Equal(kept.TryAdd(number, uid.Value) ? uid.Value : kept[number], answer.Uid);
                if (kept.Count <= most) continue;
                lowWater = Math.Max(lowWater, kept.Keys.First() + 1);
                kept.Remove(kept.Keys.First());
            }

            Assert.Equal(kept.Count * SessionTable.AnswerBytes, state.Sessions.Bytes);
        }, iter: 1000);

    [Fact]
    public void R9_a_write_of_large_values_evicts_nobody_else_and_its_retry_says_what_is_missing()
    {
        var state = new KeyValueState(new SessionLimits { Bytes = 4 * 1024 * 1024 });
        WriteAnswer Apply(WriteRequest request) => state.Apply(state.Applied.Next, request);
        var (other, session) = (Apply(R(1)).Uid, Apply(R(1)).Uid);
        var done = Ask(other, 1, Put("k", "v"));
        Apply(done);
        var keys = Enumerable.Range(0, 257).Select(i => $"large{i}").ToArray();
        var large = new string('x', 16 * 1024);
        for (var i = 0; i < keys.Length; i++) Apply(Write(session, 1 + i, Put(keys[i], large)));
        var delete = Ask(session, 1000, [.. keys.Select(k => new WriteOperation(OperationKind.Delete, k, default))]);

        var first = Apply(delete);

        Assert.Equal(
            (257, large.Length, false),
            (first.Previous.Count, first.Previous[256]!.Value.Length, first.PreviousOmitted));
        Assert.Equal(
            (2, 259 * SessionTable.AnswerBytes + SessionTable.VersionBytes),
            (state.Sessions.Count, state.Sessions.Bytes));
        Same(Done(done, 3, [null]), Apply(done));
        Same(first with { Previous = [], PreviousOmitted = true }, Apply(delete));
        // Who does not ask misses nothing.
        Same(first with { Previous = [] }, Apply(WriteRequestCodec.Create(session, 1000, 0, delete.Operations)));
    }

    [Fact]
    public void R9_versions_before_a_write_are_kept_up_to_their_bound_together()
    {
        var session = Open();
        Apply(Write(session, 1, Put("a", new string('x', 2000)), Put("b", new string('x', 2064)), Put("c", "x")));
        WriteOperation Check(string key) => new(OperationKind.Check, key, default);
        Apply(Ask(session, 2, Check("a"), Check("b"))); // with 16 for each, these are 4,096 bytes
        Apply(Ask(session, 3, Check("a"), Check("b"), Check("none")));
        Assert.Equal(
            [2000, 2064], Apply(Ask(session, 2, Check("a"), Check("b"))).Previous.Select(v => v!.Value.Length));
        var omitted = Apply(Ask(session, 3, Check("a"), Check("b"), Check("none")));
        Assert.Equal(
            (WriteStatus.Done, 4L, 0, true),
            (omitted.Status, omitted.Uid, omitted.Previous.Count, omitted.PreviousOmitted));
    }

    [Fact]
    public void R9_what_is_kept_is_a_copy()
    {
        var session = Open();
        Apply(Write(session, 1, Put("a", "old")));
        var first = Apply(Ask(session, 2, Put("a", "new")));
        var again = Apply(Ask(session, 2, Put("a", "new")));
        Same(first, again);
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(again.Previous[0]!.Value, out var kept));
        Assert.Equal(3, kept.Array!.Length);
    }

    [Fact]
    public void R9_all_answers_together_are_bounded_by_their_bytes()
    {
        var state = new KeyValueState(new SessionLimits { Bytes = 3 * SessionTable.AnswerBytes });
        WriteAnswer Do(WriteRequest request) => state.Apply(state.Applied.Next, request);
        for (var i = 1; i <= 3; i++) Do(R(1));
        for (var i = 1; i <= 3; i++) Do(Write(i, 1, Put("k", "v")));
        Do(Write(1, 2, Put("k", "v")));
        // The second was used least recently.
        Assert.Equal((2, WriteStatus.SessionUnknown), (state.Sessions.Count, Do(Write(2, 1, Put("k", "v"))).Status));
        Assert.Equal(WriteStatus.Done, Do(Write(3, 1, Put("k", "v"))).Status);
        // The one in use stays, however much it keeps.
        for (var i = 3; i <= 9; i++) Do(Write(1, i, Put("k", "v")));
        Assert.Equal(1, state.Sessions.Count);
        Assert.Equal(WriteStatus.Done, Do(Write(1, 1, Put("k", "v"))).Status);
    }

    [Fact]
    public void Conditions_are_of_the_version_s_uid_or_of_absence()
    {
        var session = Open();
        Assert.Equal(WriteStatus.Done, Apply(Write(session, 1, Put("k", "one", expected: 0))).Status);
        var failed = Ask(session, 2, Put("k", "two", expected: 0));
        Same(new WriteAnswer(session, 2, WriteStatus.ConditionFailed, 3, [V("one", 2)]), Apply(failed));
        Assert.Empty(Apply(Write(session, 30, Put("k", "two", expected: 0))).Previous);
        Assert.Equal(WriteStatus.Done, Apply(Write(session, 3, Put("k", "three", expected: 2))).Status);
        Assert.Equal(WriteStatus.ConditionFailed, Apply(Write(session, 4, Put("k", "four", expected: 2))).Status);
        // The first answer, though the condition would hold or fail otherwise now.
        Apply(Write(session, 5, new WriteOperation(OperationKind.Delete, "k", default, ExpectedUid: 5)));
        Same(new WriteAnswer(session, 2, WriteStatus.ConditionFailed, 3, [V("one", 2)]), Apply(failed));
        Assert.Null(_state.Find("k"));
    }

    [Fact]
    public void A_write_of_several_operations_is_done_as_a_whole_or_not_at_all()
    {
        var session = Open();
        Apply(Write(session, 1, Put("a", "1"), Put("b", "1")));
        var check = new WriteOperation(OperationKind.Check, "b", default, ExpectedUid: 9);
        var delete = new WriteOperation(OperationKind.Delete, "a", default);
        Same(new WriteAnswer(session, 2, WriteStatus.ConditionFailed, 3, [V("1", 2), null, V("1", 2)]),
            Apply(Ask(session, 2, delete, Put("c", "2"), check)));
        Assert.Equal((V("1", 2).Uid, (Version?)null), (_state.Find("a")!.Uid, _state.Find("c")));

        // All conditions are of the state before the write, also of a key that it changes.
        Same(Done(Write(session, 3), 4, V("1", 2), null, V("1", 2), null),
            Apply(Ask(session, 3, delete, Put("c", "3"), check with { ExpectedUid = 2 }, Put("c", "4", expected: 0))));
        Assert.Null(_state.Find("a"));
        Assert.Equal(Text.Of(V("4", 4)), Text.Of(_state.Find("c")));
        Assert.Equal(Text.Of(V("1", 2)), Text.Of(_state.Find("b")));
    }

    [Fact]
    public void Requests_are_applied_in_the_order_of_their_uids_only()
    {
        Open();
        Assert.Throws<InvariantViolationException>(() => _state.Apply(U(1), R(1)));
        Assert.Throws<InvariantViolationException>(() => _state.Apply(U(3), R(1)));
        Assert.Equal(U(1), _state.Applied);
    }

    private static readonly Gen<WriteRequest> AnyRequest = Gen.Select(
        Gen.Int[0, 4], Gen.Int[1, 6], Gen.Int[0, 4],
        Gen.Select(
            Gen.Enum<OperationKind>(), Gen.Int[0, 3], Gen.Int[0, 9],
            Gen.OneOf(Gen.Const((long?)null), Gen.Int[0, 5].Select(n => (long?)n)),
            (kind, key, value, expected) => new WriteOperation(
                kind, $"k{key}", kind == OperationKind.Put ? new[] { (byte)value } : default, expected)).Array[1, 3],
        (session, number, low, operations) =>
            WriteRequestCodec.Create(session, number, low, session == 0 ? [] : operations));

    [Fact]
    public void R9_two_replicas_that_apply_the_same_log_are_equal() =>
        AnyRequest.Array[0, 60].Sample(
            log =>
            {
                var (one, other) = (new KeyValueState(), new KeyValueState());
                foreach (var request in log)
                {
                    // What one reads from its own memory the other reads from the wire.
                    var answer = one.Apply(one.Applied.Next, request);
                    Same(answer, other.Apply(other.Applied.Next, WriteRequestCodec.Decode(request.Encoded)));
                }

                var all = new ScanRequest(1, ReadConsistency.Linearizable, default, int.MaxValue);
                Assert.Equal(
                    Text.Of(one.Answer(all, long.MaxValue).Items), Text.Of(other.Answer(all, long.MaxValue).Items));
                Assert.Equal((one.Digest, one.Revision), (other.Digest, other.Revision));
            },
            iter: 300);

    [Fact]
    public void R9_the_state_is_that_of_a_plain_dictionary_in_which_every_request_is_executed_once() =>
        AnyRequest.Array[0, 60].Sample(
            log =>
            {
                var state = new KeyValueState();
                var model = new Dictionary<Key, long>();
                var executed = new Dictionary<(long, long), WriteStatus>();
                foreach (var request in log)
                {
                    var uid = state.Applied.Next.Value;
                    var answer = state.Apply(state.Applied.Next, request);
                    if (request.Session == 0 || answer.Status is WriteStatus.SessionUnknown or WriteStatus.Expired)
                        continue;
                    if (!executed.TryAdd((request.Session, request.Number), answer.Status))
                    {
                        Assert.Equal((executed[(request.Session, request.Number)], true),
                            (answer.Status, answer.Uid < uid));
                        continue;
                    }

                    var holds = request.Operations.All(
                        o => o.ExpectedUid is not { } e || model.GetValueOrDefault(o.Key) == e);
                    Assert.Equal(
                        (holds ? WriteStatus.Done : WriteStatus.ConditionFailed, uid), (answer.Status, answer.Uid));
                    foreach (var operation in holds ? request.Operations : [])
                    {
                        if (operation.Kind == OperationKind.Put) model[operation.Key] = uid;
                        else if (operation.Kind == OperationKind.Delete) model.Remove(operation.Key);
                    }
                }

                Assert.Equal(model.Count, state.Count);
                foreach (var (key, uid) in model) Assert.Equal(uid, state.Find(key)!.Uid);
            },
            iter: 300);
}
