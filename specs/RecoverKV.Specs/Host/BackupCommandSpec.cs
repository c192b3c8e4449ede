using System.Globalization;
using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

/// <summary>`backup`, `verify` and `restore` as an operator uses them, at a running store.</summary>
public sealed class BackupCommandSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_backup_of_a_running_store_makes_a_new_one_that_goes_on_from_there()
    {
        var file = _folder.File("backup.rkv");
        var lines = string.Concat(
            Enumerable.Range(0, 3000).Select(i => string.Create(
                CultureInfo.InvariantCulture, $"k{i}\t{new string('v', i % 90)}{i}\n")));
        string before;
        await using (var up = await RunningUp.StartWithSettingsAsync(_folder.File("one"), "fetch.bytes=8KiB"))
        {
            Assert.Equal(0, (await up.RunAsync(["load", "-"], lines)).Code);
            before = (await up.RunAsync(["dump"])).Output;
            Assert.Equal(
                (0, before),
                (await up.RunAsync(["dump", "--at-one-point"])) is var dump ? (dump.Code, dump.Output) : default);
            Assert.Equal(2, (await up.RunAsync(["dump", "--at-one-point", "--stale"])).Code);
            foreach (var left in new[] { ".1.partial", ".1.partial-wal", ".22.partial.new" })
                await File.WriteAllTextAsync(file + left, "half");
            var (code, output, error) = await up.RunAsync(["backup", file]);
            Assert.True(code == 0, output + error);
            Assert.Contains("3000 keys of store ", output, StringComparison.Ordinal);
            // It overwrites nothing, and removes what others that were killed have left.
            Assert.Equal(2, (await up.RunAsync(["backup", file])).Code);
            Assert.Equal(2, (await up.RunAsync(["backup", file + ".x", "--node", "node9"])).Code);
        }

        Assert.Equal([file], Directory.GetFiles(_folder.Path));
        Assert.Equal(0, await RunAsync("verify", file));
        var restored = _folder.File("two");
        Assert.Equal(0, await RunAsync("restore", file, restored));
        Assert.Equal(3, await RunAsync("restore", file, restored));
        await using (var up = await RunningUp.StartWithSettingsAsync(restored))
        {
            Assert.Equal(before, (await up.RunAsync(["dump"])).Output);
            Assert.Equal(0, (await up.RunAsync(["put", "k1", "later"])).Code);
            Assert.Equal("later\n", (await up.RunAsync(["get", "k1"])).Output);
        }
    }

    [Fact]
    public async Task What_is_no_backup_or_no_node_is_refused_with_one_line()
    {
        var file = _folder.File("text");
        await File.WriteAllTextAsync(file, "no backup");
        foreach (var (code, args) in new (int, string[])[]
        {
            (3, ["verify", file]), (3, ["verify", _folder.Path]), (3, ["restore", file, _folder.File("out")]),
            (2, ["restore", file, _folder.File("out"), "--nodes", "a,b,a"]),
            (2, ["restore", file, _folder.File("out"), "--nodes", "a b"]),
            (2, ["verify"]), (2, ["restore", file]),
        })
        {
            using var terminal = new TestTerminal();
            Assert.Equal(code, await Cli.RunAsync(args, terminal.Terminal));
            Assert.StartsWith("recoverkv: ", terminal.Error, StringComparison.Ordinal);
            Assert.Equal(1, terminal.Error.Count(c => c == '\n'));
        }

        Assert.False(Directory.Exists(_folder.File("out")));
    }

    private static async Task<int> RunAsync(params string[] args)
    {
        using var terminal = new TestTerminal();
        return await Cli.RunAsync(args, terminal.Terminal);
    }
}
