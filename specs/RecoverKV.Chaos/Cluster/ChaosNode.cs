using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using RecoverKV.Chaos.Network;

namespace RecoverKV.Chaos.Cluster;

/// <summary>A node: a process of the real program, started anew at will, with a data folder of its own.</summary>
internal sealed partial class ChaosNode(int number, string folder, IChaosNetwork network, Preloads preloads) : IDisposable
{
    private readonly StreamWriter _log = new(folder + ".log", append: true) { AutoFlush = true };
    private Process? _process;
    private bool _killed;

    public int Number => number;

    public string Name { get; } = string.Create(CultureInfo.InvariantCulture, $"node{number}");

    /// <summary>Where it keeps its data; a disk of its own where that can be made.</summary>
    public string Folder => folder;

    public string ConfigFile => folder + ".conf";

    /// <summary>The offset of its wall clock, read by the library that fakes it.</summary>
    public string ClockFile => folder + ".clock";

    /// <summary>How long its disk takes for a sync, read by the library that makes it wait.</summary>
    public string DiskFile => folder + ".disk";

    public int Pid => _process?.Id ?? 0;

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>How many runs it took.</summary>
    public int Starts { get; private set; }

    /// <summary>How many checkpoints it has written, as its log tells.</summary>
    public int Checkpoints { get; private set; }

    /// <summary>How many states it began to take from a peer, as its log tells.</summary>
    public int Transfers { get; private set; }

    /// <summary>The last line that it wrote to its standard error in this run.</summary>
    public string? LastError { get; private set; }

    /// <summary>Its exit code, if the last run ended without our doing.</summary>
    public int? OwnExit => _process is { HasExited: true } && !_killed ? _process.ExitCode : null;

    public void Start()
    {
        if (IsRunning) return;
        var start = Commands.Of(network.AtNode(number,
            Commands.Program("recoverkv", "node", "--config", ConfigFile, "--stop-with-stdin")));
        if (preloads.All.Length > 0) start.Environment["LD_PRELOAD"] = preloads.All;
        if (preloads.SlowDisk is not null) start.Environment["RECOVERKV_SLOW_DISK"] = DiskFile;
        if (preloads.FakeTime is not null)
        {
            if (!File.Exists(ClockFile)) SetClock(TimeSpan.Zero);
            start.Environment["FAKETIME_TIMESTAMP_FILE"] = ClockFile;
            start.Environment["FAKETIME_CACHE_DURATION"] = "1"; // seconds until a jump is seen
            start.Environment["DONT_FAKE_MONOTONIC"] = "1";
            start.Environment["FAKETIME_FORCE_MONOTONIC_FIX"] =
                "0"; // else each timed wait ends at once, and threads spin
        }

        Starts++;
        (_killed, LastError) = (false, null);
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Log(line.Data);
        process.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrWhiteSpace(line.Data)) LastError = line.Data;
            Log(line.Data);
        };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _process?.Dispose();
        _process = process;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        _killed = true;
        Signals.Send(Pid, Signals.Kill);
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to leave, and waits until it has.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        if (_process is null) return;
        _killed = true;
        Signals.Send(Pid, Signals.Terminate);
        using var end = new CancellationTokenSource(patience);
        await _process.WaitForExitAsync(end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await KillAsync();
    }

    public void Pause() => Signals.Send(Pid, Signals.Stop);

    public void Continue() => Signals.Send(Pid, Signals.Continue);

    /// <summary>The wall clock jumps; a process that runs sees it at once.</summary>
    public void SetClock(TimeSpan offset) => File.WriteAllText(ClockFile,
        string.Create(CultureInfo.InvariantCulture, $"{offset.TotalSeconds:+0;-0;+0}s\n"));

    /// <summary>From now on each sync takes so much longer.</summary>
    public void SetDisk(TimeSpan sync) => File.WriteAllText(DiskFile,
        string.Create(CultureInfo.InvariantCulture, $"{sync.TotalMilliseconds:0}\n"));

    public void Dispose()
    {
        if (IsRunning) Signals.Send(Pid, Signals.Kill);
        _process?.Dispose();
        lock (_log) _log.Dispose();
    }

    [GeneratedRegex(@"Checkpoint of \d+ keys at uid \d+, ")]
    private static partial Regex WroteCheckpoint();

    private void Log(string? line)
    {
        if (line is null) return;
        if (WroteCheckpoint().IsMatch(line)) Checkpoints++;
        if (line.Contains("and takes the state at uid", StringComparison.Ordinal)) Transfers++;
        try
        {
            lock (_log) _log.WriteLine(line);
        }
        catch (ObjectDisposedException)
        {
            // A late line of a process that was ended with the run.
        }
    }
}
