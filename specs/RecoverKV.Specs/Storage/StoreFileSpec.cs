using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Storage;

/// <summary>R10: a checkpoint in its file: of one uid, whenever the process dies; and never taken for good when it is
/// damaged.</summary>
public sealed class StoreFileSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly KeyValueState _state = new();
    private long _number;

    public StoreFileSpec() => _state.Apply(U(1), WriteRequestCodec.Create(0, 1, 0, []));

    private string Store => _folder.File(StoreFile.Name);

    public void Dispose() => _folder.Dispose();

    private void Do(params WriteOperation[] operations) =>
        _state.Apply(_state.Applied.Next, Write(1, ++_number, operations));

    private StoreHead Head(StateCapture capture) => new(
        "replica-n1", Guid.Parse("00000000-0000-0000-0000-000000000007"), capture.Revision, capture.KeyCount,
        capture.Digest, capture.SessionCount, capture.SessionBytes,
        new LogBase(
            capture.Uid, 12, 7, U(3), [new FactPiece(new UidRange(U(1), U(3)), 2, 6, 3, 99)],
            new Promised(E(4), new NodeId("n2")), View1(), U(5), U(2), Uid.Zero, U(5)));

    private void Save(bool finish = true)
    {
        using var file = StoreFile.Open(Store);
        var capture = _state.Capture();
        file.Begin(capture.IsAll);
        while (capture.Next(3, 1000) is { } part) file.Write(part);
        if (finish) file.Finish(Head(capture));
    }

    private (StoreHead? Head, KeyValueState State) Load()
    {
        var state = new KeyValueState();
        return (StoreReader.Load(Store, state), state);
    }

    [Fact]
    public void What_was_written_is_read_back_whole()
    {
        for (var i = 0; i < 50; i++) Do(Put($"k{i}", new string('v', 40 * i)), Put("empty", ""));
        Do(new WriteOperation(OperationKind.Delete, "k7", default));
        _state.Apply(_state.Applied.Next, Ask(1, 99, Put("k8", "again"), Put("new", "n")));
        Save();
        Do(Put("k1", "later"), new WriteOperation(OperationKind.Delete, "k2", default));
        Save();

        var (head, state) = Load();
        Assert.Equal(
            (_state.Applied, _state.Revision, _state.Digest, _state.Count,
                _state.Sessions.Count, _state.Sessions.Bytes),
            (state.Applied, state.Revision, state.Digest, state.Count, state.Sessions.Count, state.Sessions.Bytes));
        Assert.Equal("later", System.Text.Encoding.UTF8.GetString(state.Find("k1")!.Value.Span));
        Assert.Equal(0, state.Find("empty")!.Value.Length);
        // A retry gets its first answer.
        var retry = Ask(1, 99, Put("k8", "again"), Put("new", "n"));
        Assert.Equal(Protocol.Text.Of(_state.Sessions.Find(retry)), Protocol.Text.Of(state.Sessions.Find(retry)));
        var expected = Head(_state.Capture());
        Assert.Equal(Protocol.Text.Of(expected.Base with { Applied = state.Applied }), Protocol.Text.Of(head!.Base));
        Assert.Equal((expected.Replica, expected.Cluster), (head.Replica, head.Cluster));
    }

    /// <summary>store-v1.db is committed and never changes; a new form gets a file of its own beside it. To make one:
    /// run this spec with RECOVERKV_STORE_OUT=PATH in the environment.</summary>
    [Fact]
    public void A_committed_file_of_this_form_keeps_loading_and_is_what_is_written()
    {
        Do(Put("k1", "v1"), Put("k2", ""), Put("k\0\u00e4", "x"));
        Do(Put("k1", "v2"));
        Do(new WriteOperation(OperationKind.Delete, "k2", default));
        _state.Apply(_state.Applied.Next, Ask(1, 9, Put("k1", "v3"), Put("k3", new string('l', 20_000))));
        Save();
        var written = Load();
        if (Environment.GetEnvironmentVariable("RECOVERKV_STORE_OUT") is { Length: > 0 } output)
            File.Copy(Store, output, overwrite: true);
        File.Copy(Path.Combine(Repository.Root, "specs/RecoverKV.Specs/Storage/store-v1.db"), Store, overwrite: true);
        var committed = Load();
        Assert.Equal(Protocol.Text.Of(written.Head), Protocol.Text.Of(committed.Head));
        Assert.Equal(written.State.Digest, committed.State.Digest);
        Assert.Equal("v3", System.Text.Encoding.UTF8.GetString(committed.State.Find("k1")!.Value.Span));
        var retry = Ask(1, 9, Put("k1", "v3"), Put("k3", new string('l', 20_000)));
        Assert.Equal(
            Protocol.Text.Of(written.State.Sessions.Find(retry)),
            Protocol.Text.Of(committed.State.Sessions.Find(retry)));
    }

    [Fact]
    public void One_that_was_not_finished_leaves_the_one_before()
    {
        Do(Put("k", "one"));
        Save();
        var before = _state.Digest;
        Do(Put("k", "two"), Put("l", "two"));
        Save(finish: false);
        var (head, state) = Load();
        Assert.Equal((before, 1), (state.Digest, state.Count));
        Assert.Equal(U(2), head!.Base.Applied);
        // The next one has all, as nobody knows what was written.
        _state.ForgetCapture();
        Save();
        Assert.Equal(_state.Digest, Load().State.Digest);
    }

    [Fact]
    public void A_file_without_a_checkpoint_has_none()
    {
        StoreFile.Open(Store).Dispose();
        Assert.Null(Load().Head);
        Save();
        Assert.NotNull(Load().Head);
        foreach (var more in new[] { "-wal", "-shm" }) File.Delete(Store + more);
        File.WriteAllBytes(Store, []);
        RefusesAsDamaged();
    }

    [Theory]
    [InlineData("UPDATE records SET value = CAST('x' AS BLOB) WHERE key = CAST('k3' AS BLOB)")]
    [InlineData("UPDATE records SET key = CAST('kx' AS BLOB) WHERE key = CAST('k3' AS BLOB)")]
    [InlineData("UPDATE records SET uid = uid + 1 WHERE key = CAST('k3' AS BLOB)")]
    [InlineData("UPDATE records SET version = 9 WHERE key = CAST('k3' AS BLOB)")]
    [InlineData("DELETE FROM records WHERE key = CAST('k3' AS BLOB)")]
    [InlineData("UPDATE sessions SET used = used + 1")]
    [InlineData("UPDATE sessions SET answers = zeroblob(9)")]
    [InlineData("DELETE FROM sessions")]
    [InlineData("UPDATE checkpoint SET revision = revision + 1")]
    [InlineData("UPDATE checkpoint SET digest = digest + 1")]
    [InlineData("UPDATE checkpoint SET replica = 'replica-n2'")]
    [InlineData("UPDATE checkpoint SET cluster = zeroblob(16)")]
    [InlineData("UPDATE checkpoint SET log = zeroblob(30)")]
    [InlineData("DROP TABLE sessions")]
    [InlineData("PRAGMA user_version = 2")]
    public void A_row_that_is_not_as_it_was_written_is_found(string change)
    {
        for (var i = 0; i < 5; i++) Do(Put($"k{i}", "v"));
        Save();
        using (var connection = new SqliteConnection($"Data Source={Store};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = change;
            command.ExecuteNonQuery();
        }

        RefusesAsDamaged();
    }

    [Fact]
    public void Noise_anywhere_is_found_or_harmless()
    {
        for (var i = 0; i < 200; i++) Do(Put($"k{i}", new string('v', i)));
        Save();
        var good = File.ReadAllBytes(Store);
        var random = new Random(5);
        var found = 0;
        for (var i = 0; i < 60; i++)
        {
            var bytes = (byte[])good.Clone();
            random.NextBytes(bytes.AsSpan(random.Next(bytes.Length - 8), random.Next(1, 8)));
            File.WriteAllBytes(Store, bytes);
            foreach (var more in new[] { "-wal", "-shm" }) File.Delete(Store + more);
            if (TryLoad() is not { } state) found++;
            else Assert.Equal(
                (_state.Digest, _state.Revision, _state.Applied), (state.Digest, state.Revision, state.Applied));
        }

        Assert.True(found > 10, $"only {found} were found");
        File.WriteAllBytes(Store, good[..(good.Length / 2)]);
        RefusesAsDamaged();
    }

    private KeyValueState? TryLoad()
    {
        try
        {
            var (head, state) = Load();
            // A header that is none makes an empty file of it.
            return head is null ? null : state;
        }
        catch (Exception e)
        {
            Assert.True(JournalFile.Damage(Store, e) is not null, $"{e}");
            return null;
        }
    }

    private void RefusesAsDamaged()
    {
        var e = Assert.ThrowsAny<Exception>(() => Load());
        Assert.NotNull(JournalFile.Damage(Store, e));
    }
}
