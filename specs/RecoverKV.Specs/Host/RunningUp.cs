using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Text.Json;
using System.Threading.Channels;
using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

/// <summary>A running `recoverkv up` of three nodes, in processes of its own, with ports that were free.</summary>
internal sealed class RunningUp : IAsyncDisposable
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(120));

    private readonly string _data;

    private RunningUp(string data, int port, string[] options)
    {
        _data = data;
        Contact = string.Join(',', Enumerable.Range(port, 3).Select(p => $"127.0.0.1:{p}"));
        GrpcPort = port + 3;
        var start = ThisProgram.Start(
            ["up", "--data", data, "--port", port.ToString(CultureInfo.InvariantCulture), .. options]);
        Process = new Process { StartInfo = start, EnableRaisingEvents = true };
        Process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null) _lines.Writer.TryWrite(line.Data);
            else _lines.Writer.TryComplete();
        };
        Process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null) _lines.Writer.TryWrite("stderr: " + line.Data);
        };
        Process.Start();
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
    }

    /// <summary>The process of `up` itself.</summary>
    public Process Process { get; }

    /// <summary>What --contact takes.</summary>
    public string Contact { get; }

    /// <summary>Where the gRPC endpoint is, if there is one.</summary>
    public int GrpcPort { get; }

    /// <summary>Gives up after a while, so that no spec hangs.</summary>
    public CancellationToken Patience => _patience.Token;

    /// <summary>Starts it and waits until all nodes are ALIVE.</summary>
    public static Task<RunningUp> StartAsync(string data) => StartAsync(data, _ => ["--chaos"]);

    /// <summary>The same with a gRPC endpoint and without --chaos.</summary>
    public static Task<RunningUp> StartWithGrpcAsync(string data) =>
        StartAsync(data, port => ["--grpc-port", port.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>The same with a gRPC endpoint, and TLS between nodes and clients.</summary>
    public static Task<RunningUp> StartWithTlsAsync(string data) =>
        StartAsync(data, port => ["--tls", "--chaos", "--grpc-port", port.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>The same without a gRPC endpoint and with settings, each as it stands below <c>recoverkv</c>.</summary>
    public static Task<RunningUp> StartWithSettingsAsync(string data, params string[] settings) =>
        StartAsync(data, _ => ["--no-grpc", .. settings.SelectMany(s => new[] { "--set", "recoverkv." + s })]);

    private static async Task<RunningUp> StartAsync(string data, Func<int, string[]> options)
    {
        var port = FreePorts();
        var up = new RunningUp(data, port, options(port + 3));
        await up.LineAsync("cluster ready");
        return up;
    }

    /// <summary>Reads the output up to a line.</summary>
    public async Task LineAsync(string wanted)
    {
        var seen = new List<string>();
        try
        {
            await foreach (var line in _lines.Reader.ReadAllAsync(Patience))
            {
                seen.Add(line);
                if (line == wanted) return;
            }
        }
        catch (OperationCanceledException)
        {
            // Reported below, with what came instead.
        }

        Assert.Fail($"`up` never said \"{wanted}\", but: {string.Join(" | ", seen)}");
    }

    /// <summary>Runs a client command; its exit code, output and errors.</summary>
    public async Task<(int Code, string Output, string Error)> RunAsync(string[] args, string input = "")
    {
        using var terminal = new TestTerminal(input);
        var code = await Cli.RunAsync([.. args, "--contact", Contact], terminal.Terminal);
        return (code, terminal.Output, terminal.Error);
    }

    /// <summary>The process of each node, once all have told it. A node that is too slow to answer is DEAD to its
    /// client and has the pid 0, and a signal to 0 would end the specs and whoever started them.</summary>
    public async Task<int[]> PidsAsync()
    {
        while (true)
        {
            var (_, output, _) = await RunAsync(["status", "--json"]);
            using var json = JsonDocument.Parse(output);
            int[] pids =
                [.. json.RootElement.GetProperty("nodes").EnumerateArray()
                    .Select(n => n.GetProperty("pid").GetInt32())];
            if (pids.All(p => p > 0)) return pids;
            Patience.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Kills it, if it still runs: its nodes then leave by themselves, and until then use their
    /// folders.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited) Process.Kill();
        await Process.WaitForExitAsync(CancellationToken.None);
        Process.Dispose();
        _patience.Dispose();
        if (!Directory.Exists(_data)) return;
        foreach (var file in Directory.GetFiles(_data, "pid", SearchOption.AllDirectories)) await EndOfAsync(file);
    }

    private static async Task EndOfAsync(string pidFile)
    {
        try
        {
            var text = await File.ReadAllTextAsync(pidFile);
            using var node = Process.GetProcessById(int.Parse(text, CultureInfo.InvariantCulture));
            await node.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            // It has ended.
        }
    }

    internal static int FreePorts()
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(l => l.Port).ToHashSet();
        // Below the range from which systems give ports to outgoing connections.
        var first = 20_000 + (Environment.ProcessId % 1000 * 10);
        return Enumerable.Range(0, 1000).Select(i => first + (i * 4))
            .First(port => !Enumerable.Range(port, 4).Any(taken.Contains));
    }
}
