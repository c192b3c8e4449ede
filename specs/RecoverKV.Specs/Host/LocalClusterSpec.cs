using System.Net;
using System.Net.Sockets;
using RecoverKV.Client.Contracts;
using RecoverKV.Host;
using RecoverKV.Host.LocalCluster;

namespace RecoverKV.Specs.Host;

public sealed class LocalClusterSpec : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("recoverkv-up").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public void A_process_that_is_killed_comes_back_at_once_each_time()
    {
        var policy = new RestartPolicy();
        for (var i = 0; i < 20; i++) Assert.Equal(TimeSpan.Zero, policy.After(137, TimeSpan.FromSeconds(1)));
        Assert.Equal(TimeSpan.Zero, policy.After(0, TimeSpan.FromSeconds(1)));
        Assert.Equal(TimeSpan.FromSeconds(0.5), policy.After(137, TimeSpan.FromSeconds(0.1)));
    }

    [Fact]
    public void A_process_that_fails_again_and_again_waits_longer_each_time()
    {
        var policy = new RestartPolicy();
        var delays = Enumerable.Range(0, 8).Select(_ => policy.After(3, TimeSpan.FromSeconds(1)).TotalSeconds);
        Assert.Equal([0, 0.5, 1, 2, 4, 8, 10, 10], delays);
        Assert.Equal(TimeSpan.Zero, policy.After(3, TimeSpan.FromSeconds(6)));
        Assert.Equal(TimeSpan.FromSeconds(0.5), policy.After(134, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void What_never_comes_into_service_waits_longer_each_time_however_it_ends_and_however_long_it_takes()
    {
        var killed = new RestartPolicy();
        var delays = Enumerable.Range(0, 6)
            .Select(_ => killed.After(137, TimeSpan.FromSeconds(8), served: false).TotalSeconds);
        Assert.Equal([0, 0, 0, 0.5, 1, 2], delays);
        Assert.Equal(TimeSpan.Zero, killed.After(137, TimeSpan.FromSeconds(8), served: true));
        var starved = new RestartPolicy();
        delays = Enumerable.Range(0, 7)
            .Select(_ => starved.After(134, TimeSpan.FromSeconds(40), served: false).TotalSeconds);
        Assert.Equal([0, 0.5, 1, 2, 4, 8, 10], delays);
        Assert.Equal(TimeSpan.Zero, starved.After(134, TimeSpan.FromSeconds(40), served: true));
    }

    [Fact]
    public void What_a_node_says_is_wrong_is_shown_whatever_it_may_do()
    {
        var node = new LocalNode("node1", 1, _data);
        var process = new NodeProcess("node1", node.LogFile, () => throw new IOException(), static _ => { });
        foreach (var mode in new[] { NodeMode.Alive, NodeMode.Ready, NodeMode.Zombie })
        {
            var status = new NodeStatus(
                0, "node1", "127.0.0.1", 1, 0, mode, 3, false, null, 10, 10, 0, 5)
            { Reason = "the disk is full" };
            Assert.Equal("the disk is full", NodeSnapshot.Of(node, process, status).Error);
        }
    }

    [Fact]
    public void Fresh_deletes_the_node_folders_and_nothing_else()
    {
        var nodes = Options(3).Plan();
        foreach (var node in nodes) NodeConfigFile.Write(node, nodes, Options(3));
        File.WriteAllText(Path.Combine(nodes[0].Folder, "journal.db"), "x");
        var notes = Directory.CreateDirectory(Path.Combine(_data, "notes")).FullName;
        using (DataFolder.Open(Options(3, fresh: true))) { }
        Assert.Equal([notes], Directory.GetDirectories(_data));
    }

    [Fact]
    public void Fresh_refuses_a_folder_that_up_did_not_make()
    {
        var node = Options(1).Plan()[0];
        Directory.CreateDirectory(node.Folder);
        File.WriteAllText(Path.Combine(node.Folder, "thesis.txt"), "x");
        Assert.Throws<UsageException>(() => DataFolder.Open(Options(1, fresh: true)));
        Assert.True(File.Exists(Path.Combine(node.Folder, "thesis.txt")));
    }

    [Fact]
    public void A_data_folder_of_another_size_is_refused()
    {
        var nodes = Options(3).Plan();
        foreach (var node in nodes) NodeConfigFile.Write(node, nodes, Options(3));
        var failure = Assert.Throws<UsageException>(() => DataFolder.Open(Options(5)));
        Assert.Contains("--nodes 3", failure.Message, StringComparison.Ordinal);
        using (DataFolder.Open(Options(3))) { }
    }

    [Fact]
    public void A_partition_of_an_earlier_run_is_lifted()
    {
        var nodes = Options(3).Plan();
        foreach (var node in nodes) NodeConfigFile.Write(node, nodes, Options(3));
        var limit = Path.Combine(nodes[1].Folder, "heal-from");
        File.WriteAllText(limit, "");
        using (DataFolder.Open(Options(3))) { }
        Assert.False(File.Exists(limit));
    }

    [Fact]
    public void A_data_folder_serves_one_up_at_a_time()
    {
        using (DataFolder.Open(Options(3)))
        {
            var failure = Assert.Throws<CommandFailedException>(() => DataFolder.Open(Options(3, fresh: true)));
            Assert.Contains("in use", failure.Message, StringComparison.Ordinal);
        }

        using (DataFolder.Open(Options(3))) { }
    }

    [Fact]
    public async Task A_port_in_use_is_named_before_anything_starts()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var terminal = new TestTerminal();
        var failure = await Assert.ThrowsAsync<CommandFailedException>(() => Runner.RunAsync(
            terminal.Terminal, Options(1) with { Port = port, PortPatience = TimeSpan.Zero }));
        Assert.Contains($"127.0.0.1:{port} is in use", failure.Message, StringComparison.Ordinal);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Changes_are_told_once_each()
    {
        var log = new ChangeLog();
        Assert.Empty(log.Changes([Node("node1", NodeMode.Dead), Node("node2", NodeMode.Dead)]));
        Assert.Equal(
            ["node1 ALIVE epoch 3 sequencer", "node2 ZOMBIE epoch 3: catching up"],
            log.Changes(
                [
                    Node("node1", NodeMode.Alive, sequencer: true),
                    Node("node2", NodeMode.Zombie, error: "catching up")
                ]));
        Assert.Empty(log.Changes(
            [Node("node1", NodeMode.Alive, sequencer: true), Node("node2", NodeMode.Zombie, error: "catching up")]));
        Assert.Equal(
            ["node2 ALIVE epoch 3", "cluster ready"],
            log.Changes([Node("node1", NodeMode.Alive, sequencer: true), Node("node2", NodeMode.Alive)]));
        Assert.Equal(
            ["node1 DEAD: killed"],
            log.Changes([Node("node1", NodeMode.Dead, error: "killed"), Node("node2", NodeMode.Alive)]));
    }

    private LocalClusterOptions Options(int nodes, bool fresh = false) =>
        new() { Nodes = nodes, Data = _data, Port = 4051, Fresh = fresh };

    private static NodeSnapshot Node(string id, NodeMode mode, bool sequencer = false, string? error = null) => new()
    {
        Id = id,
        Address = "127.0.0.1:1",
        Pid = 1,
        Mode = mode,
        Error = error,
        Status = mode == NodeMode.Dead
            ? null
            : new NodeStatus(0, id, "127.0.0.1", 1, 1, mode, 3, sequencer, null, 10, 10, 0, 5),
    };
}
