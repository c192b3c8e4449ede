using System.Text;
using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using RecoverKV.Client;

namespace RecoverKV.Specs.Host;

/// <summary>R11, integrity: a node whose data is not what the others have, although its disk says that all is
/// well.</summary>
public sealed class AlteredStoreSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_taken_out_of_service_and_comes_back_with_what_the_others_have()
    {
        await using (var up = await RunningUp.StartWithSettingsAsync(_folder.Path))
        {
            Assert.Equal(0, (await up.RunAsync(["load", "-"], "k1\tv1\nk2\tv2\nk3\tv3\n")).Code);
            Assert.Equal(0, (await up.RunAsync(["checkpoint"])).Code);
        }

        var store = _folder.File("node2", StoreFile.Name);
        Alter(store, "k2", "other");
        await using (var up = await RunningUp.StartWithSettingsAsync(_folder.Path))
        {
            while (Directory.GetDirectories(_folder.File("node2"), "retired-*").Length == 0)
                await Task.Delay(50, up.Patience);
            await AllAliveAsync(up);
            Assert.Equal(0, (await up.RunAsync(["checkpoint"])).Code);
            Assert.Equal("v2\n", (await up.RunAsync(["get", "k2"])).Output);
        }

        Assert.Equal("v2"u8.ToArray(), Read(store).State.Find("k2")!.Value.ToArray());
    }

    private static async Task AllAliveAsync(RunningUp up)
    {
        while (true)
        {
            var (_, output, _) = await up.RunAsync(["status"]);
            if (output.Split("ALIVE").Length == 4) return;
            await Task.Delay(50, up.Patience);
        }
    }

    private static (StoreHead Head, KeyValueState State) Read(string store)
    {
        var state = new KeyValueState();
        return (StoreReader.Load(store, state)!, state);
    }

    // With checksums that are right: nothing but the comparison with others can find it.
    private static void Alter(string store, string key, string value)
    {
        var (head, state) = Read(store);
        state.ForgetCapture();
        var before = state.Capture().Next(100, 1000)!.Keys
            .Single(r => r.Key.Span.SequenceEqual(new Key(key).Bytes.Span));
        var after = before with { Value = Encoding.UTF8.GetBytes(value) };
        var part = new StatePart();
        part.Keys.Add(after);
        using var file = StoreFile.Open(store);
        file.Begin(all: false);
        file.Write(part);
        file.Finish(head with { Digest = head.Digest - Digest(before) + Digest(after) });
    }

    private static ulong Digest(KeyRecord record) =>
        KeyValueState.DigestOf(record.Key.Span, record.Value.Span, record.Uid, record.Fields);
}
