using System.Diagnostics;
using System.Globalization;
using RecoverKV.Actors.Storage;
using RecoverKV.Host;
using RecoverKV.Specs.Storage;

namespace RecoverKV.Specs.Host;

/// <summary>`rescue` as an operator uses it, when two of three folders are damaged.</summary>
public sealed class RescueCommandSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Old => _folder.File("old");

    private string New => _folder.File("new");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_one_whole_folder_and_two_damaged_ones_a_store_is_made_that_serves_all_keys()
    {
        string[] folders = [.. new[] { "node1", "node2", "node3" }.Select(n => Path.Combine(Old, n))];
        var lines = string.Concat(
            Enumerable.Range(0, 3000).Select(i => string.Create(CultureInfo.InvariantCulture, $"k{i}\tv{i}\n")));
        var (before, kept) = ("", "");
        Process[] nodes;
        await using (var up = await RunningUp.StartWithSettingsAsync(Old))
        {
            Assert.Equal(0, (await up.RunAsync(["load", "-"], lines)).Code);
            Assert.Equal(0, (await up.RunAsync(["checkpoint"])).Code);
            Assert.Equal(0, (await up.RunAsync(["put", "last", "of all"])).Code);
            before = (await up.RunAsync(["dump"])).Output;
            var (code, _, error) = await RunAsync(["rescue", New, .. folders]);
            Assert.Equal(3, code);
            Assert.Contains("node1 is in use by pid ", error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(New));
            nodes = [.. (await up.PidsAsync()).Select(Process.GetProcessById)];
            kept = await AliveAsync(up, folders);
        }

        foreach (var node in nodes)
        {
            node.Kill();
            await node.WaitForExitAsync();
            node.Dispose();
        }

        string[] damaged = [.. folders.Where(f => f != kept)];
        foreach (var log in Directory.GetFiles(damaged[0], JournalFile.Name + "-*")) File.Delete(log);
        using (var journal = File.OpenWrite(Path.Combine(damaged[0], JournalFile.Name))) journal.Write(new byte[4096]);
        File.Delete(Path.Combine(damaged[1], JournalFile.Name));
        var content = folders.Select(RescueSpec.Content).ToArray();
        var rescued = await RunAsync(["rescue", New, .. folders]);
        Assert.True(rescued.Code == 0, rescued.Output + rescued.Error);
        Assert.Contains($"rescued from {kept} as a new store", rescued.Output, StringComparison.Ordinal);
        Assert.Contains($"{damaged[1]}: ", rescued.Output, StringComparison.Ordinal);
        Assert.Contains("journal.db is missing\n", rescued.Output, StringComparison.Ordinal);
        Assert.Equal(content, folders.Select(RescueSpec.Content));
        Assert.Equal(3, (await RunAsync(["rescue", New, .. folders])).Code);
        await using (var up = await RunningUp.StartWithSettingsAsync(New))
        {
            Assert.Equal(before, (await up.RunAsync(["dump"])).Output);
            Assert.Equal(0, (await up.RunAsync(["put", "k1", "later"])).Code);
            Assert.Equal("later\n", (await up.RunAsync(["get", "k1"])).Output);
        }
    }

    [Fact]
    public async Task What_is_no_folder_or_no_node_is_refused_with_one_line()
    {
        foreach (var (code, args) in new (int, string[])[]
        {
            (2, ["rescue"]), (2, ["rescue", New]), (2, ["rescue", New, ""]), (2, ["rescue", "", _folder.Path]),
            (2, ["rescue", New, _folder.Path, _folder.Path + "/"]), (2, ["rescue", New, _folder.Path]),
            (2, ["rescue", New, Old, "--nodes", "a,a"]),
            (3, ["rescue", New, Old]), (3, ["rescue", _folder.Path + "x", _folder.Path]),
        })
        {
            var (ended, _, error) = await RunAsync(args);
            Assert.Equal((code, string.Join(' ', args)), (ended, string.Join(' ', args)));
            Assert.StartsWith("recoverkv: ", error, StringComparison.Ordinal);
            Assert.Equal(1, error.Count(c => c == '\n'));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    /// <summary>The folder of a node that has all that was acknowledged.</summary>
    private static async Task<string> AliveAsync(RunningUp up, string[] folders)
    {
        while (true)
        {
            foreach (var folder in folders)
                if ((await up.RunAsync(["status", Path.GetFileName(folder)])).Code == 0) return folder;
            up.Patience.ThrowIfCancellationRequested();
        }
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string[] args)
    {
        using var terminal = new TestTerminal();
        var code = await Cli.RunAsync(args, terminal.Terminal);
        return (code, terminal.Output, terminal.Error);
    }
}
