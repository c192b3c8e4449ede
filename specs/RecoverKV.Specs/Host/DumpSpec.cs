using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Host;
using RecoverKV.Host.Commands;
using RecoverKV.Host.Records;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Host;

public sealed class DumpSpec : IDisposable
{
    private readonly TestTerminal _terminal = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("recoverkv-dump").FullName;

    public void Dispose()
    {
        _terminal.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task All_items_go_to_the_standard_output()
    {
        Assert.Equal(0, await DumpAsync("-", "tsv", ("a", "1"), ("b", "2\t3")));
        Assert.Equal("a\t1\nb\t2\t3\n", _terminal.Output);
        Assert.Equal("dumped 2", _terminal.Error.Trim());
    }

    [Fact]
    public async Task Keys_that_are_no_users_are_left_out()
    {
        Assert.Equal(0, await DumpAsync("-", "ndjson", ("a", "1"), ("\0grpc-client/id", "node1"), ("\0b", "2")));
        Assert.Equal(2, _terminal.Output.TrimEnd('\n').Split('\n').Length);
        Assert.DoesNotContain("grpc", _terminal.Output, StringComparison.Ordinal);
        Assert.Equal("dumped 2", _terminal.Error.Trim());
    }

    [Fact]
    public async Task What_the_format_cannot_hold_is_left_out_and_named()
    {
        Assert.Equal(2, await DumpAsync("-", "tsv", ("a", "1"), ("tab\there", "2"), ("b", "two\nlines")));
        Assert.Equal("a\t1\n", _terminal.Output);
        Assert.Contains("key tab?here: tsv cannot hold a key with a tab", _terminal.Error, StringComparison.Ordinal);
        Assert.Contains("left out 2", _terminal.Error, StringComparison.Ordinal);
        Assert.Contains("--format ndjson", _terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dump_that_fails_leaves_the_file_before_it()
    {
        var file = Path.Combine(_folder, "dump.csv");
        Assert.Equal(0, await DumpAsync(file, "csv", ("a", "1,2")));
        Assert.Equal("a,\"1,2\"\n", await File.ReadAllTextAsync(file));
        await Assert.ThrowsAsync<NotDoneException>(() => DumpCommand.RunAsync(
            _terminal.Terminal, Broken(), file, RecordFormat.Choose("csv", null)));
        Assert.Equal("a,\"1,2\"\n", await File.ReadAllTextAsync(file));
        Assert.Equal([file], Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_named()
    {
        var error = await Assert.ThrowsAsync<CommandFailedException>(
            () => DumpAsync(Path.Combine(_folder, "no", "such", "folder"), "tsv"));
        Assert.StartsWith("cannot write ", error.Message, StringComparison.Ordinal);
    }

    private Task<int> DumpAsync(string file, string format, params (string Key, string Value)[] items) =>
        DumpCommand.RunAsync(_terminal.Terminal, Items(items), file, RecordFormat.Choose(format, null));

    private static async IAsyncEnumerable<ScanItem> Items((string Key, string Value)[] items)
    {
        foreach (var (key, value) in items) yield return new ScanItem(key, new Version(new Key(value).Bytes, 1));
        await Task.CompletedTask;
    }

    private static async IAsyncEnumerable<ScanItem> Broken()
    {
        yield return new ScanItem("z", new Version(default, 1));
        await Task.CompletedTask;
        throw new NotDoneException("the node is gone");
    }
}
