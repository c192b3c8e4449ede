using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Storage;

/// <summary>R10: a checkpoint goes from file to file in parts, whatever their size, and whichever process ends in
/// between.</summary>
public sealed class StoreTransferSpec : IDisposable
{
    private static readonly Guid Cluster = Guid.Parse("00000000-0000-0000-0000-000000000007");
    private readonly TemporaryFolder _folder = new();
    private readonly KeyValueState _state = new();
    private StoreHead _head = null!;

    public StoreTransferSpec()
    {
        for (var session = 1; session <= 3; session++)
            _state.Apply(U(session), WriteRequestCodec.Create(0, session, 0, []));
        for (var i = 1; i <= 200; i++)
            _state.Apply(
                _state.Applied.Next, Ask(1 + i % 2, i, Put($"k{i % 70}", new string('v', i)), Put("empty", "")));
        Save();
    }

    private string Store => _folder.File(StoreFile.Name);

    private string Incoming => _folder.File("other" + StoreFile.Incoming);

    public void Dispose() => _folder.Dispose();

    private void Save()
    {
        var capture = _state.Capture();
        _head = new StoreHead(
            "replica-n1", Cluster, capture.Revision, capture.KeyCount, capture.Digest, capture.SessionCount,
            capture.SessionBytes, LogBase.None with { Applied = capture.Uid, Fact = 9 });
        using var file = StoreFile.Open(Store);
        file.Begin(capture.IsAll);
        while (capture.Next(50, 10_000) is { } part) file.Write(part);
        file.Finish(_head);
    }

    private StateChunk Part(StateCursor? after, long bytes) =>
        StoreReader.Part(Store, _head.Base.Applied, after, bytes)!.Value.Chunk;

    private void AssertWhole()
    {
        var state = new KeyValueState();
        var head = StoreReader.Load(Incoming, state);
        Assert.Equal(
            (_state.Applied, _state.Revision, _state.Digest, _state.Count,
                _state.Sessions.Count, _state.Sessions.Bytes),
            (state.Applied, state.Revision, state.Digest, state.Count, state.Sessions.Count, state.Sessions.Bytes));
        Assert.Equal("replica-n2", head!.Replica);
        Assert.Equal(
            Protocol.Text.Of(_state.Sessions.All.Select(s => s.Id).ToArray()),
            Protocol.Text.Of(state.Sessions.All.Select(s => s.Id).ToArray()));
        var retry = Ask(1, 200, Put("k60", new string('v', 200)), Put("empty", ""));
        Assert.Equal(Protocol.Text.Of(_state.Sessions.Find(retry)), Protocol.Text.Of(state.Sessions.Find(retry)));
    }

    private void Finish(StoreFile file) => file.FinishIncoming(_head with { Replica = "replica-n2" });

    [Theory]
    [InlineData(1)]
    [InlineData(700)]
    [InlineData(20_000)]
    [InlineData(10_000_000)]
    public void Parts_of_any_size_make_the_whole(long bytes)
    {
        using (var file = StoreFile.Open(Incoming))
        {
            StateCursor? after = null;
            do
            {
                var chunk = Part(after, bytes);
                file.Take(_head.Base.Applied, chunk.Part);
                after = chunk.Next;
            }
            while (after is not null);

            Assert.Equal(_head.Totals with { Revision = 0 }, file.Sum());
            Finish(file);
        }

        AssertWhole();
        Assert.Null(StoreReader.Progress(Incoming));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(700)]
    public void What_has_come_goes_on_after_the_process_ended_also_if_the_last_part_comes_twice(long bytes)
    {
        StateCursor? after = null;
        while (true)
        {
            StateChunk chunk;
            // Each part by a process of its own.
            using (var file = StoreFile.Open(Incoming))
            {
                chunk = Part(after, bytes);
                file.Take(_head.Base.Applied, chunk.Part);
                if (chunk.Next is null) file.Take(_head.Base.Applied, Part(after, bytes).Part);
            }

            var progress = StoreReader.Progress(Incoming)!;
            Assert.Equal(_head.Base.Applied, progress.At);
            if (chunk.Next is not { } next) break;
            // Where the sessions have begun the key is of no use any more.
            var expected = next.Session > 0 ? next with { Key = default } : next;
            Assert.Equal(Protocol.Text.Of(expected), Protocol.Text.Of(progress.After));
            after = progress.After;
        }

        using (var file = StoreFile.Open(Incoming))
            Assert.Throws<FormatException>(() => file.Take(_head.Base.Applied.Next, new StatePart()));
        using (var file = StoreFile.Open(Incoming))
        {
            Assert.Equal(_head.Totals with { Revision = 0 }, file.Sum());
            Finish(file);
        }

        AssertWhole();
    }

    [Fact]
    public void Of_another_uid_there_is_no_part()
    {
        Assert.Null(StoreReader.Part(Store, _head.Base.Applied.Next, null, 1000));
        var before = _head.Base.Applied;
        _state.Apply(_state.Applied.Next, Write(3, 1, Put("k1", "later")));
        Save();
        Assert.Null(StoreReader.Part(Store, before, null, 1000));
        Assert.NotNull(Part(null, 1000));
    }

    [Theory]
    [InlineData("UPDATE records SET value = CAST('x' AS BLOB) WHERE key = CAST('k3' AS BLOB)")]
    [InlineData("UPDATE sessions SET used = used + 1 WHERE id = 2")]
    public void A_record_that_is_damaged_is_not_passed_on(string change)
    {
        using (var connection = new SqliteConnection($"Data Source={Store};Pooling=False"))
        {
            connection.Open();
            JournalFile.Execute(connection, change);
        }

        Assert.Throws<FormatException>(() => Part(null, long.MaxValue));
    }

    [Fact]
    public void Totals_differ_by_any_of_their_numbers_but_the_revision()
    {
        var totals = new StateTotals(9, 1, 2, 3, 4);
        Assert.Null(totals.Differs(totals with { Revision = 0 }));
        Assert.NotNull(totals.Differs(totals with { Keys = 0 }));
        Assert.NotNull(totals.Differs(totals with { Digest = 0 }));
        Assert.NotNull(totals.Differs(totals with { Sessions = 0 }));
        Assert.NotNull(totals.Differs(totals with { SessionBytes = 0 }));
    }
}
