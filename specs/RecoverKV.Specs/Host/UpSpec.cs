using System.Diagnostics;

namespace RecoverKV.Specs.Host;

/// <summary>The program as a user has it: `up` in a process, three nodes below it, and commands.</summary>
public sealed class UpSpec : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("recoverkv-e2e").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task A_local_cluster_serves_commands_survives_kills_and_stops_in_good_order()
    {
        var records = Enumerable.Range(0, 3000).Select(i => $"/usr/f{i} \"odd\", \\x2d é\t{i} a\tb").ToArray();
        await using (var up = await RunningUp.StartAsync(_data))
        {
            await CheckCommandsAsync(up);
            var pids = await up.PidsAsync();
            var (code, output, error) = await up.RunAsync(["load", "-"], string.Join('\n', records) + "\nno tab\n");
            Assert.Equal((2, "loaded 3000, bad 1\n"), (code, output));
            Assert.Equal("line 3001: no tab between key and value", error.Trim());

            Process.GetProcessById(pids[1]).Kill();
            await up.LineAsync("cluster ready");
            Assert.NotEqual(pids[1], (await up.PidsAsync())[1]);
            Assert.Equal(records.Order(), await DumpAsync(up));

            foreach (var pid in await up.PidsAsync()) Process.GetProcessById(pid).Kill();
            await up.LineAsync("cluster ready");
            Assert.Equal(records.Order(), await DumpAsync(up));

            pids = await up.PidsAsync();
            using (var term = Process.Start("kill", ["-TERM", $"{up.Process.Id}"]))
                await term.WaitForExitAsync(up.Patience);
            await up.LineAsync("all nodes have stopped");
            await up.Process.WaitForExitAsync(up.Patience);
            Assert.Equal(0, up.Process.ExitCode);
            Assert.All(pids, pid => Assert.False(Runs(pid)));
        }

        // What was left in good order, and then by an `up` that was killed, is there again.
        await using (var up = await RunningUp.StartAsync(_data))
        {
            Assert.Equal(records.Order(), await DumpAsync(up));
            var pids = await up.PidsAsync();
            up.Process.Kill();
            while (pids.Any(Runs)) await Task.Delay(50, up.Patience);
        }
    }

    [Fact]
    public async Task With_TLS_it_serves_those_who_show_a_certificate_and_the_original_s_clients()
    {
        await using var up = await RunningUp.StartWithTlsAsync(_data);
        string File(string name) => Path.Combine(_data, "tls", name);
        string[] tls = ["--cacert", File("authority.pem"), "--cert", File("client.pem"), "--key", File("client.key")];
        Assert.Equal(0, (await up.RunAsync(["put", "a", "b", .. tls])).Code);
        Assert.Equal((0, "b\n", ""), await up.RunAsync(["get", "a", .. tls]));
        foreach (var (options, what) in
            new (string[], string)[] { ([], "speaks TLS only"), (tls[..2], "clients must show a certificate") })
        {
            var (code, _, error) = await up.RunAsync(["get", "a", "--timeout", "2", .. options]);
            Assert.Equal(3, code);
            Assert.Contains(what, error, StringComparison.Ordinal);
        }

        using (var original = new Original.OriginalClient(up.GrpcPort))
        {
            Assert.Equal(Original.Answer.Ok(0), await original.InitAsync("localhost:50051"));
            Assert.Equal(Original.Answer.Ok(0, "b"), await original.GetAsync("a"));
        }

        Assert.Equal(0, (await up.RunAsync(["stop", "node2", "--unclean", .. tls])).Code);
        await up.LineAsync("cluster ready");
        Assert.Equal((0, "b\n", ""), await up.RunAsync(["get", "a", .. tls]));
    }

    private static async Task CheckCommandsAsync(RunningUp up)
    {
        Assert.Equal(0, (await up.RunAsync(["put", "a key", ""])).Code);
        Assert.Equal((0, "\n", ""), await up.RunAsync(["get", "a key"]));
        var (code, output, _) = await up.RunAsync(["put", "a key", "@home"]);
        Assert.Equal(0, code);
        Assert.Matches("^uid [0-9]+\nold \n$", output);
        var uid = output.Split(' ', '\n')[1];
        Assert.Equal((0, $"uid {uid}\n@home\n", ""), await up.RunAsync(["get", "a key", "--with-uid"]));
        Assert.Equal((0, "@home\n", ""), await up.RunAsync(["get", "a key", "--stale"]));
        Assert.Equal(
            (1, "", $"recoverkv: condition failed: the key has uid {uid}\n"),
            await up.RunAsync(["cas", "a key", "x", "--absent"]));
        Assert.Equal(0, (await up.RunAsync(["cas", "a key", "x", "--uid", uid])).Code);
        Assert.Equal((1, "", "recoverkv: absent: nothing\n"), await up.RunAsync(["get", "nothing"]));
        Assert.Equal((1, "", "recoverkv: absent: nothing\n"), await up.RunAsync(["delete", "nothing"]));
        Assert.Equal(2, (await up.RunAsync(["put", new string('k', 1025), "v"])).Code);
        Assert.Equal(0, (await up.RunAsync(["status", "node2"])).Code);
        Assert.Equal(2, (await up.RunAsync(["status", "node9"])).Code);
        var shell = await up.RunAsync(
            ["shell"], "put 'in shell' \"two words\"\nget 'in shell'\nget nothing\nexit\nget a\n");
        Assert.Equal(1, shell.Code);
        Assert.EndsWith("\ntwo words\n", shell.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await up.RunAsync(["delete", "in shell"])).Code);
        await CheckBytesAsync(up);
        Assert.Equal(0, (await up.RunAsync(["delete", "a key"])).Code);
    }

    private static async Task CheckBytesAsync(RunningUp up)
    {
        Assert.Equal(0, (await up.RunAsync(["put", "--hex", "fffe", "00FF"])).Code);
        Assert.Equal((1, "", "recoverkv: absent: fffd\n"), await up.RunAsync(["get", "--hex", "fffd"]));
        Assert.Equal((0, "00ff\n", ""), await up.RunAsync(["get", "--hex", "FFFE"]));
        Assert.Equal(1, (await up.RunAsync(["cas", "--hex", "fffe", "01", "--absent"])).Code);
        Assert.EndsWith(
            "\nold 00ff\n", (await up.RunAsync(["delete", "--hex", "fffe"])).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await up.RunAsync(["put", "from input", "-"], "two\nlines\n")).Code);
        Assert.Equal((0, "two\nlines\n\n", ""), await up.RunAsync(["get", "from input"]));
        Assert.Equal(2, (await up.RunAsync(["put", "from file", "--file", "/no/such/file"])).Code);
        var (code, _, error) = await up.RunAsync(["shell"], "put x -\n");
        Assert.Equal(2, code);
        Assert.Contains("--file", error, StringComparison.Ordinal);
        Assert.Equal(0, (await up.RunAsync(["delete", "from input"])).Code);

        // What the gRPC endpoint keeps is nobody else's to write.
        var reserved = Convert.ToHexString("\0grpc-client/x"u8);
        Assert.Equal(2, (await up.RunAsync(["put", "--hex", reserved, "00"])).Code);
        Assert.Equal(2, (await up.RunAsync(["cas", "--hex", reserved, "00", "--absent"])).Code);
        Assert.Equal(2, (await up.RunAsync(["delete", "--hex", reserved])).Code);
        Assert.Equal(1, (await up.RunAsync(["get", "--hex", reserved])).Code);
        (code, var output, error) = await up.RunAsync(["load", "-"], "\0grpc-client/x\tnode1\n");
        Assert.Equal((2, "loaded 0, bad 1\n"), (code, output));
        Assert.Contains("reserved", error, StringComparison.Ordinal);
    }

    private static async Task<IEnumerable<string>> DumpAsync(RunningUp up)
    {
        var (code, output, _) = await up.RunAsync(["dump"]);
        Assert.Equal(0, code);
        return output.TrimEnd('\n').Split('\n').Order();
    }

    private static bool Runs(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            // How .NET says that there is no such process.
            return false;
        }
    }
}
