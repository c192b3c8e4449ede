using System.Buffers.Binary;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Storage;

/// <summary>R10: what a checkpoint's writer does when its file fails it.</summary>
public sealed class StoreWriterSpec : TestKit
{
    private const int PageSize = 8192;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder = new();
    private readonly KeyValueState _state = new();
    private readonly TestProbe _replica;
    private IActorRef _writer;

    public StoreWriterSpec()
    {
        _replica = CreateTestProbe();
        _writer = Start();
        _state.Apply(U(1), WriteRequestCodec.Create(0, 1, 0, []));
    }

    private string Store => _folder.File(StoreFile.Name);

    protected override void AfterAll()
    {
        base.AfterAll();
        _folder.Dispose();
    }

    private IActorRef Start() => _replica.ChildActorOf(Props.Create(() => new StoreWriter(Store)));

    private void Stop()
    {
        _replica.Watch(_writer);
        _replica.Send(_writer, PoisonPill.Instance);
        _replica.ExpectTerminated(_writer, Patience);
    }

    private void Do(params WriteOperation[] operations) =>
        _state.Apply(_state.Applied.Next, Write(1, _state.Applied.Value, operations));

    private object Save()
    {
        var capture = _state.Capture();
        _replica.Send(_writer, new StoreWriter.Begin(capture.IsAll));
        while (capture.Next(100, 100_000) is { } part)
        {
            if (_replica.ExpectMsg<object>(Patience) is StoreWriter.Failed failed) return failed;
            _replica.Send(_writer, new StoreWriter.Write(part));
        }

        if (_replica.ExpectMsg<object>(Patience) is StoreWriter.Failed wrong) return wrong;
        _replica.Send(_writer, new StoreWriter.Finish(new StoreHead(
            "replica-n1", Guid.Empty, capture.Revision, capture.KeyCount, capture.Digest, capture.SessionCount,
            capture.SessionBytes, LogBase.None with { Applied = capture.Uid })));
        return _replica.ExpectMsg<object>(Patience);
    }

    [Fact]
    public void A_file_that_is_damaged_where_only_writing_looks_is_made_anew_from_memory()
    {
        for (var i = 0; i < 300; i++) Do(Put($"k{i}", new string('v', 2000)));
        Assert.IsType<StoreWriter.Done>(Save());
        for (var i = 10; i < 300; i++) Do(new WriteOperation(OperationKind.Delete, $"k{i}", default));
        Assert.IsType<StoreWriter.Done>(Save());
        Stop();
        DamageFreePages();
        Assert.NotNull(StoreReader.Load(Store, new KeyValueState()));

        _writer = Start();
        for (var i = 0; i < 100; i++) Do(Put($"n{i}", new string('w', 2000)));
        var failed = Assert.IsType<StoreWriter.Failed>(Save());
        Assert.True(JournalFile.IsOfTheDisk(failed.Cause), failed.Cause.Message);
        Assert.NotNull(StoreReader.Load(Store, new KeyValueState()));
        _state.ForgetCapture();
        Assert.IsType<StoreWriter.Done>(Save());
        // From then on as before.
        Do(Put("last", "of all"));
        Assert.IsType<StoreWriter.Done>(Save());
        Stop();
        var loaded = new KeyValueState();
        Assert.NotNull(StoreReader.Load(Store, loaded));
        Assert.Equal((_state.Applied, _state.Digest, _state.Count), (loaded.Applied, loaded.Digest, loaded.Count));
        Assert.Equal([Store], Directory.GetFiles(_folder.Path));
        using var connection = new SqliteConnection($"Data Source={Store};Pooling=False");
        connection.Open();
        Assert.Equal("ok", JournalFile.Scalar(connection, "PRAGMA integrity_check"));
    }

    // The pages that are in no table: they are looked at only when one of them is needed.
    private void DamageFreePages()
    {
        using var file = File.Open(Store, FileMode.Open, FileAccess.ReadWrite);
        var header = new byte[100];
        file.ReadExactly(header);
        var first = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(32));
        var count = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(36));
        Assert.True(count > 10, $"{count} free pages");
        file.Position = (first - 1L) * PageSize;
        file.Write(Enumerable.Repeat((byte)0xFF, PageSize).ToArray());
    }
}
