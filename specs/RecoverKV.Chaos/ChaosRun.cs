using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Chaos.Faults;
using RecoverKV.Chaos.History;
using RecoverKV.Chaos.Load;
using RecoverKV.Chaos.Network;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Chaos;

/// <summary>One run: a cluster, clients, faults, and the checks at the end.</summary>
internal sealed class ChaosRun(ChaosOptions options, TextWriter output)
{
    // R10: with what a run writes, journals forget every few seconds, and who was away for longer takes the state; their
    // logs tell of it.
    private const string ForgetsSoon = """
        log-level = INFO
          checkpoint.writes = 1000
          log.keep = 64KiB
          log-memory = 64KiB
        """;

    private readonly string _folder = Path.GetFullPath(
        options.Folder
            ?? Path.Combine(Path.GetTempPath(), $"recoverkv-chaos-{Environment.ProcessId}-{Guid.NewGuid():N}"));

    public async Task<ChaosResult> RunAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(_folder);
        var result = await RunInFolderAsync(cancellation);
        if (result.Violations.Count == 0 && options.Folder is null) Directory.Delete(_folder, recursive: true);
        else await output.WriteLineAsync($"histories and logs are in {_folder}");
        return result;
    }

    private async Task<ChaosResult> RunInFolderAsync(CancellationToken cancellation)
    {
        var began = DateTime.UtcNow;
        await using var network = await NetworkAsync();
        var preloads = new Preloads(
            Wanted(FaultKind.ClockJump) ? FakeTime.Library : null,
            Wanted(FaultKind.SlowDisk) ? await SlowDisk.CompileAsync(_folder) : null);
        await using var cluster = await ChaosCluster.StartAsync(
            options.Nodes, _folder, network, preloads, options.Tls, ForgetsSoon);
        var kinds = Injector.Possible(cluster).Where(Wanted).ToList();
        if (kinds.Count == 0) throw new ChaosException("this machine can do none of these faults");
        await output.WriteLineAsync(
            $"{options.Nodes} nodes, {options.Clients} client processes, {kinds.Count} kinds of faults; "
            + $"{network.Description}");
        if (await cluster.WaitAsync(cluster.IsWell, Nemesis.Patience, cancellation) is null)
            throw new ChaosException($"the cluster did not start; see the logs in {_folder}");
        var clients = await StartClientsAsync(cluster);
        var nemesis = new Nemesis(cluster, new Random(options.Seed), kinds, output);
        await nemesis.RunAsync(DateTime.UtcNow + options.Time, cancellation);

        var violations = new List<string>();
        if (nemesis.Violation is { } violation) violations.Add(violation);
        var history = await EndClientsAsync(clients, violations);
        var whole = history;
        if (nemesis.Violation is null)
        {
            await EndEqualAsync(cluster, violations);
            whole = [.. history, .. await DumpAsync(cluster, history, violations)];
        }

        violations.AddRange(cluster.Differences.Take(10));
        if (violations.Count > 0) await KeepDataAsync(cluster);
        var path = Path.Combine(_folder, "history.json");
        using (var file = new HistoryFile.Writer(path))
        {
            foreach (var entry in whole) file.Add(entry);
            file.End();
        }

        await output.WriteLineAsync($"checking {whole.Count} operations");
        var (wrong, verdict, decided) = HistoryChecks.Check(whole);
        violations.AddRange(wrong);
        if (verdict is not null)
            await File.WriteAllTextAsync(
                Path.Combine(_folder, "history.svg"), Picture.Of(verdict), CancellationToken.None);
        return new ChaosResult
        {
            Began = began,
            Took = DateTime.UtcNow - began,
            Network = network.Description,
            Kinds = kinds,
            History = history,
            Faults = nemesis.Records,
            Violations = violations,
            Decided = decided,
            Compared = cluster.Compared,
            FoldersMoved = nemesis.FoldersMoved,
            Starts = cluster.Nodes.Sum(n => n.Starts),
            Checkpoints = cluster.Nodes.Sum(n => n.Checkpoints),
            Transfers = cluster.Nodes.Sum(n => n.Transfers),
        };
    }

    private bool Wanted(FaultKind kind) => options.Kinds?.Contains(kind)
        ?? (kind != FaultKind.LongSilence || options.Time >= TimeSpan.FromMinutes(30));

    private async Task<IChaosNetwork> NetworkAsync()
    {
        var possible = options.Namespaces != false && await NamespaceNetwork.IsPossibleAsync();
        if (options.Namespaces == true && !possible)
            throw new ChaosException(
                "network namespaces cannot be made here: they need root, and the programs ip and tc");
        return possible ? await NamespaceNetwork.CreateAsync(options.Nodes) : new LoopbackNetwork(options.Nodes);
    }

    private async Task<List<(Process Process, string History)>> StartClientsAsync(ChaosCluster cluster)
    {
        var clients = new List<(Process Process, string History)>();
        for (var i = 0; i < options.Clients; i++)
        {
            var file = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"client{i + 1}.json"));
            string Number(int n) => n.ToString(CultureInfo.InvariantCulture);
            var process = Process.Start(Commands.Of(cluster.Network.AtClients(Commands.Program("recoverkv-chaos",
                "client", "--contact", string.Join(',', cluster.Contacts), "--history", file,
                "--first-worker", Number(1 + i * options.Workers), "--workers", Number(options.Workers),
                "--think", Number((int)options.Think.TotalMilliseconds),
                "--seed", Number(options.Seed * 1000 + i * 100)))))!;
            process.ErrorDataReceived += (_, line) =>
            {
                if (line.Data is not null) output.WriteLine("client: " + line.Data);
            };
            process.BeginErrorReadLine();
            clients.Add((process, file));
        }

        foreach (var (process, _) in clients)
        {
            if (await process.StandardOutput.ReadLineAsync() != "ready")
                throw new ChaosException("a client did not start");
        }

        return clients;
    }

    private static async Task<List<HistoryEntry>> EndClientsAsync(
        List<(Process Process, string History)> clients, List<string> violations)
    {
        foreach (var (process, _) in clients) process.StandardInput.Close();
        var history = new List<HistoryEntry>();
        foreach (var (process, file) in clients)
        {
            await process.WaitForExitAsync();
            process.Dispose();
            try
            {
                history.AddRange(HistoryFile.Read(file));
            }
            catch (InvalidDataException e)
            {
                violations.Add($"a client broke off: {e.Message}");
            }
        }

        return history;
    }

    /// <summary>Without writes, all replicas come to the same uid and have the same digest.</summary>
    private static async Task EndEqualAsync(ChaosCluster cluster, List<string> violations)
    {
        var equal = await cluster.WaitAsync(
            s => cluster.IsWell(s) && s.Nodes.DistinctBy(n => (n.Applied, n.Digest)).Count() == 1,
            TimeSpan.FromSeconds(30));
        if (equal is null)
        {
            violations.Add("the replicas do not end equal: "
                + string.Join(", ", cluster.Last.Nodes.Select(
                    n => $"{n.Node} {n.Mode} applied {n.Applied} digest {n.Digest:x16}")));
        }
    }

    /// <summary>The disks in memory go with the run; what is on them may explain a violation.</summary>
    private static async Task KeepDataAsync(ChaosCluster cluster)
    {
        foreach (var node in cluster.Nodes) await Commands.TryAsync("cp", "-r", node.Folder, node.Folder + ".kept");
    }

    /// <summary>The whole store, as its own program dumps it, as reads at the end of the history.</summary>
    private static async Task<IReadOnlyList<HistoryEntry>> DumpAsync(
        ChaosCluster cluster, List<HistoryEntry> history, List<string> violations)
    {
        var call = MonotonicClock.Now;
        var text = await Commands.RunAsync(cluster.Network.AtClients(Commands.Program(
            "recoverkv", "dump", "--format", "ndjson", "--timeout", "60",
            "--contact", string.Join(',', cluster.Contacts))));
        var @return = MonotonicClock.Now;
        var dump = new Dictionary<int, long>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var json = JsonDocument.Parse(line);
            if (Words.TryNumber(json.RootElement.GetProperty("key").GetString()!, out var key))
                dump.Add(
                    key, Words.Number(Encoding.ASCII.GetBytes(json.RootElement.GetProperty("value").GetString()!)));
        }

        violations.AddRange(Dump.Missing(history, dump).Take(10));
        return [.. Dump.AsReads(history, dump, call, @return)];
    }
}
