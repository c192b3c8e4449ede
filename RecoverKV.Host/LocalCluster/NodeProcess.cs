using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace RecoverKV.Host.LocalCluster;

/// <summary>
/// Runs one child process and starts it again whenever it ends. The child is asked to leave by the end of its
/// standard input: it then also leaves when this process is killed. Properties may be read from any thread.
/// </summary>
/// <param name="name">What to call it in notices.</param>
/// <param name="logFile">What it prints goes there too.</param>
/// <param name="start">Prepares a start of the child; may throw an <see cref="IOException"/>.</param>
/// <param name="notice">Told of starts and ends, from any thread.</param>
internal sealed class NodeProcess(string name, string logFile, Func<ProcessStartInfo> start, Action<string> notice)
{
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan OutputTime = TimeSpan.FromSeconds(0.3);

    private readonly RestartPolicy _policy = new();
    private readonly TaskCompletionSource _kill = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _lastError;
    private volatile TaskCompletionSource? _held;
    private volatile int _pid;
    private long _startedAt;
    private long _pauseTicks;
    private int _starts;

    /// <summary>The running child, 0 between two.</summary>
    public int Pid => _pid;

    /// <summary>The timestamp (of <see cref="Stopwatch"/>) at which the last child was about to be started.</summary>
    public long StartedAt => Interlocked.Read(ref _startedAt);

    /// <summary>The last error that the child wrote, in this run or, until this one ends, in the one before.</summary>
    public string? LastError => _lastError;

    /// <summary>Runs until <paramref name="stop"/> is cancelled and the child has left.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var clock = Stopwatch.StartNew();
            var exitCode = await RunOnceAsync(stop);
            if (stop.IsCancellationRequested) return;
            var delay = _policy.After(exitCode, clock.Elapsed);
            if (Interlocked.Exchange(ref _pauseTicks, 0) is var pause && pause > delay.Ticks) delay = new TimeSpan(pause);
            var again = delay == TimeSpan.Zero
                ? "starting it again"
                : string.Create(CultureInfo.InvariantCulture, $"starting it again in {delay.TotalSeconds:0.#} s");
            var error = _lastError is { } line ? $" ({line})" : "";
            notice($"{name} {Describe(exitCode)}{error}, {again}");
            await Task.Delay(delay, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_held is { } held)
                await held.Task.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Kills the child, now or while it leaves.</summary>
    public void Kill() => _kill.TrySetResult();

    /// <summary>When the child ends next, it is started again after this time at the earliest.</summary>
    public void PauseOnce(TimeSpan pause) => Interlocked.Exchange(ref _pauseTicks, pause.Ticks);

    /// <summary>From now on the child is not started again when it ends, until <see cref="Release"/>.</summary>
    public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes <see cref="Hold"/> back: a child that ended meanwhile is started again.</summary>
    public void Release() => Interlocked.Exchange(ref _held, null)?.TrySetResult();

    private async Task<int> RunOnceAsync(CancellationToken stop)
    {
        using var process = new Process { EnableRaisingEvents = true };
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.Exited += (_, _) => exited.TrySetResult();
        try
        {
            process.StartInfo = start();
            Interlocked.Exchange(ref _startedAt, Stopwatch.GetTimestamp());
            process.Start();
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException)
        {
            _lastError = Failures.OneLine(e.Message);
            return ExitCode.NotDone;
        }

        string? errorOfThisRun = null;
        // The log stays open while the child runs; if it cannot be kept, the child runs without one.
        using var log = OpenLog();
        process.OutputDataReceived += (_, line) => Log(log, line.Data);
        process.ErrorDataReceived += (_, line) =>
        {
            if (IsError(line.Data)) _lastError = errorOfThisRun = WithoutPrefix(line.Data!.Trim());
            Log(log, line.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _pid = process.Id;
        notice(string.Create(CultureInfo.InvariantCulture,
            $"{name} {(Interlocked.Increment(ref _starts) == 1 ? "started" : "started again")}, pid {process.Id}"));
        try
        {
            await WaitAsync(process, exited.Task, stop);
            return process.ExitCode;
        }
        finally
        {
            _pid = 0;
            _lastError = errorOfThisRun;
        }
    }

    private async Task WaitAsync(Process process, Task exited, CancellationToken stop)
    {
        var stopped = Task.Delay(Timeout.Infinite, stop);
        if (await Task.WhenAny(exited, _kill.Task, stopped) == stopped)
        {
            process.StandardInput.Close();
            await Task.WhenAny(exited, _kill.Task, Task.Delay(LeaveTime, CancellationToken.None));
        }

        if (!process.HasExited)
        {
            notice($"{name} is killed");
            process.Kill();
        }

        await exited;
        // The rest of its output; not for long, as a process that it started itself may hold on to the pipe.
        await Task.WhenAny(
            process.WaitForExitAsync(CancellationToken.None), Task.Delay(OutputTime, CancellationToken.None));
    }

    private StreamWriter? OpenLog()
    {
        try
        {
            const long keep = 16 * 1024 * 1024;
            if (File.Exists(logFile) && new FileInfo(logFile).Length > keep)
                File.Move(logFile, logFile + ".1", overwrite: true);
            return new StreamWriter(logFile, append: true) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            notice($"{name} has no log file: {Failures.OneLine(e.Message)}");
            return null;
        }
    }

    private void Log(StreamWriter? log, string? line)
    {
        if (log is null || line is null) return;
        try
        {
            lock (log) log.WriteLine(line);
        }
        catch (ObjectDisposedException)
        {
            // A late line of a child that has ended: its log is closed, and the line is of no use any more.
        }
        catch (IOException e)
        {
            // A full disk must not end the one who restarts the nodes.
            notice($"{name}: its log cannot be written: {Failures.OneLine(e.Message)}");
        }
    }

    /// <summary>The log of a node goes to its standard error too; what is said there is no reason to end.</summary>
    private static bool IsError(string? line) =>
        !string.IsNullOrWhiteSpace(line)
        && line.Split(' ', 3) is not [_, "DEBUG" or "INFO" or "WARNING" or "ERROR", _];

    private static string WithoutPrefix(string line) =>
        line.StartsWith(Failures.Prefix, StringComparison.Ordinal) ? line[Failures.Prefix.Length..] : line;

    private static string Describe(int exitCode) => exitCode switch
    {
        0 => "has left",
        > 128 => string.Create(CultureInfo.InvariantCulture, $"was killed by signal {exitCode - 128}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"ended with exit code {exitCode}"),
    };
}
