using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Chaos;

/// <summary>
/// <c>recoverkv up</c> with few file descriptors, a client at work, and strangers at every port: many that say nothing,
/// and many that send noise, each anew when it is closed. Meanwhile a node is killed. Nobody but the strangers may
/// notice.
/// </summary>
internal sealed class StrangersRun(int idle, int noisy, int files, bool tls, TextWriter output)
{
    private const int Port = 24_051, GrpcPort = 24_060;
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(40), Patience = TimeSpan.FromSeconds(60);
    private static readonly byte[][] Beginnings =
    [
        [0x16, 3, 1, 2, 0], "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), [40, 0, 0, 0], [0, 0, 64, 0], []
    ];
    private readonly string _folder = Directory.CreateTempSubdirectory("recoverkv-strangers-").FullName;
    private long _puts, _failed, _longest, _connected, _closed;
    private long _growth;
    private readonly List<double?> _back = [];
    private string? _failure;

    /// <summary>Runs it.</summary>
    /// <returns>The section of the results page, and whether all went as it should.</returns>
    public async Task<(string Text, bool Holds)> RunAsync()
    {
        string[] command =
        [
            "sh", "-c", $"ulimit -n {files} && exec \"$@\"", "sh",
            .. Commands.Program(
                "recoverkv", "up", "--data", _folder, "--port", $"{Port}", "--grpc-port", $"{GrpcPort}"),
        ];
        using var up = Process.Start(Commands.Of(tls ? [.. command, "--tls"] : command))!;
        up.ErrorDataReceived += (_, line) => Say(line.Data);
        up.BeginErrorReadLine();
        var ready = new SemaphoreSlim(0);
        _ = ReadAsync(up.StandardOutput, ready);
        try
        {
            if (!await ready.WaitAsync(Patience)) throw new ChaosException("the cluster did not get ready");
            return await StrangersComeAsync(up, ready);
        }
        finally
        {
            up.StandardInput.Close();
            Signals.Send(up.Id, Signals.Terminate);
            await up.WaitForExitAsync();
            Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task<(string Text, bool Holds)> StrangersComeAsync(Process up, SemaphoreSlim ready)
    {
        var options = new RecoverKvClientOptions { Tls = tls ? TlsOptions() : null };
        await using var client = await RecoverKvClient.ConnectAsync([$"127.0.0.1:{Port}"], options);
        using var end = new CancellationTokenSource();
        var work = Task.WhenAll(Enumerable.Range(0, 16).Select(i => PutAsync(client, i, end.Token)));
        await Task.Delay(TimeSpan.FromSeconds(10));
        // Two ports at a time: a system has so many files, too.
        foreach (var (ports, victim) in new[] { ((int[])[Port, Port + 1], "node2"), ([Port + 2, GrpcPort], "node3") })
            await ComeAsync(ports, victim, client, up, ready);
        await end.CancelAsync();
        await work;
        return (Text(), _back.All(b => b is not null) && _failed == 0 && _growth < 200);
    }

    private async Task ComeAsync(int[] ports, string victim, RecoverKvClient client, Process up, SemaphoreSlim ready)
    {
        using var end = new CancellationTokenSource();
        var nodes = (await client.GetStatusAsync()).Nodes;
        var pids = nodes.Select(n => n.ProcessId).Append(up.Id).ToArray();
        var before = pids.Select(Resident).ToArray();
        var strangers = ports.SelectMany(port =>
            Enumerable.Range(0, idle).Select(_ => IdleAsync(port, end.Token)).Concat(
                Enumerable.Range(0, noisy).Select(_ => NoiseAsync(port, end.Token)))).ToArray();
        var clock = Stopwatch.StartNew();
        double? back = null;
        for (var killed = false;
            clock.Elapsed < Hold || back is null && clock.Elapsed < Patience;
            await Task.Delay(200))
        {
            for (var i = 0; i < pids.Length; i++)
                _growth = Math.Max(_growth, (Resident(pids[i]) - before[i]) / 1024 / 1024);
            if (killed || clock.Elapsed < Hold / 4) continue;
            killed = true;
            Signals.Send(nodes.Single(n => n.Node == victim).ProcessId, Signals.Kill);
            var from = clock.Elapsed;
            _ = ready.WaitAsync(Patience).ContinueWith(
                t => back = t.Result ? (clock.Elapsed - from).TotalSeconds : null, TaskScheduler.Default);
        }

        _back.Add(back);
        await end.CancelAsync();
        await Task.WhenAll(strangers);
    }

    private string Text()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            ## Strangers{(tls ? ", TLS" : "")}

            ```sh
            dotnet run --project specs/RecoverKV.Chaos -c Release -- strangers --idle {idle} --noisy {noisy} --files {files}{(tls ? " --tls" : "")} --results specs/RESULTS.md
            ```

            `recoverkv up`, each of its processes with {files} file descriptors; {idle:N0} connections that say nothing and {noisy:N0} that send noise at
            each of two ports, then at each of the two others (one of them the gRPC endpoint's), made anew when they are closed, for {Hold.TotalSeconds} s
            each; 16 callers put; a node that strangers are at is killed.

            | what | figure |
            |---|---|
            | date | {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC |
            | connections made, and closed by the other side | {_connected:N0}, {_closed:N0} |
            | puts acknowledged, failed, the longest in seconds | {_puts:N0}, {_failed:N0}{(_failure is null ? "" : $" ({_failure})")}, {_longest / 1000.0:F1} |
            | the killed nodes were ALIVE again after | {string.Join(", ", _back.Select(b => b is { } seconds ? $"{seconds:F1} s" : "not at all"))} |
            | most memory above that before, of any process | {_growth:N0} MB |

            """);
        return text.ToString();
    }

    private async Task PutAsync(RecoverKvClient client, int worker, CancellationToken end)
    {
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            var began = Environment.TickCount64;
            try
            {
                await client.PutAsync($"{worker}/{i % 1000}", $"{i}", CancellationToken.None);
                Interlocked.Increment(ref _puts);
            }
            catch (RecoverKvException e)
            {
                Interlocked.Increment(ref _failed);
                _failure ??= e.Message;
            }

            var took = Environment.TickCount64 - began;
            for (var last = Interlocked.Read(ref _longest); took > last;)
            {
                if (Interlocked.CompareExchange(ref _longest, took, last) is var seen && seen == last) break;
                else last = seen;
            }

            await Task.Delay(20, CancellationToken.None);
        }
    }

    private async Task IdleAsync(int port, CancellationToken end)
    {
        while (await ConnectAsync(port, end) is { } socket)
        {
            using (socket) await WaitAsync(socket, end);
        }
    }

    private async Task NoiseAsync(int port, CancellationToken end)
    {
        while (await ConnectAsync(port, end) is { } socket)
        {
            using (socket)
            {
                try
                {
                    await socket.SendAsync(Beginnings[Random.Shared.Next(Beginnings.Length)], end);
                    for (var i = 0; i < 20; i++)
                    {
                        await socket.SendAsync(RandomNumberGenerator.GetBytes(Random.Shared.Next(1, 4096)), end);
                        await Task.Delay(50, end);
                    }

                    await WaitAsync(socket, end);
                }
                catch (Exception e) when (e is SocketException or OperationCanceledException)
                {
                    Interlocked.Increment(ref _closed);
                }
            }
        }
    }

    /// <summary>A connection, however long it takes; null at the end.</summary>
    private async Task<Socket?> ConnectAsync(int port, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port, end);
                Interlocked.Increment(ref _connected);
                return socket;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                socket?.Dispose();
            }

            // Who was closed comes again, but not in a loop: the machine is ours, too.
            await Task.Delay(Random.Shared.Next(500, 1500), CancellationToken.None);
        }

        return null;
    }

    private async Task WaitAsync(Socket socket, CancellationToken end)
    {
        try
        {
            while (await socket.ReceiveAsync(new byte[256], end) > 0) { }
            Interlocked.Increment(ref _closed);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            Interlocked.Increment(ref _closed);
        }

        await Task.Delay(Random.Shared.Next(500, 1500), CancellationToken.None);
    }

    private TlsOptions TlsOptions()
    {
        string At(string name) => Path.Combine(_folder, "tls", name);
        return new() { Authority = At("authority.pem"), Certificate = At("client.pem"), Key = At("client.key") };
    }

    private async Task ReadAsync(StreamReader lines, SemaphoreSlim ready)
    {
        while (await lines.ReadLineAsync() is { } line)
        {
            Say(line);
            if (line == "cluster ready") ready.Release();
        }
    }

    private void Say(string? line)
    {
        if (line is not null) output.WriteLine(line);
    }

    /// <summary>Bytes; 0 if the process has gone.</summary>
    private static long Resident(int pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/status")
                .FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return line is null
                ? 0
                : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture)
                    * 1024;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
