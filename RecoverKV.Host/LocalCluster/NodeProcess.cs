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

    /// <summary>Longer than any start or pause of a node that is well.</summary>
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan OutputTime = TimeSpan.FromSeconds(2);

    /// <summary>So many ends in a row before it was in service are told one by one.</summary>
    private const int ToldEach = 3;

    private readonly NodeLog _log = new(logFile, name, notice);
    private readonly RestartPolicy _policy = new();
    private readonly TaskCompletionSource _kill = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _lastError;
    private volatile TaskCompletionSource? _held;
    private volatile int _pid;
    private long _startedAt;
    private long _pauseTicks;
    private (int Pid, long Since) _silent;
    private volatile bool _watched;
    private volatile int _served;
    private int _starts;
    private (int ExitCode, string? Error)? _told;

    /// <summary>The running child, 0 between two.</summary>
    public int Pid => _pid;

    /// <summary>The timestamp (of <see cref="Stopwatch"/>) at which the last child was about to be started.</summary>
    public long StartedAt => Interlocked.Read(ref _startedAt);

    /// <summary>The last error that the child wrote, in this run or, until this one ends, in the one before.</summary>
    public string? LastError => _lastError;

    /// <summary>Runs until <paramref name="stop"/> is cancelled and the child has left. Nothing else ends it.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var clock = Stopwatch.StartNew();
                _served = 0;
                var exitCode = await RunOnceAsync(stop);
                if (stop.IsCancellationRequested) return;
                var delay = _policy.After(exitCode, clock.Elapsed, _watched ? _served != 0 : null);
                if (Interlocked.Exchange(ref _pauseTicks, 0) is var pause && pause > delay.Ticks)
                    delay = new TimeSpan(pause);
                TellEnd(exitCode, delay);
                await Task.Delay(delay, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (_held is { } held)
                    await held.Task.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            _log.Close();
        }
    }

    /// <summary>Says, now and then while the child runs, how it is: the ends of one that never was in service are no
    /// reason to start it again at once for ever, and one that runs and answers nothing for long is killed.</summary>
    /// <param name="pid">The process that is meant.</param>
    /// <param name="answers">Whether it answers.</param>
    /// <param name="inService">Whether it is in service.</param>
    public void Watched(int pid, bool answers, bool inService)
    {
        _watched = true;
        if (pid == 0 || pid != _pid) return;
        if (inService) _served = pid;
        // Who stopped it knows why.
        if (answers || _silent.Pid != pid || IsStopped(pid)) _silent = (pid, Stopwatch.GetTimestamp());
        if (Stopwatch.GetElapsedTime(_silent.Since) < SilenceLimit) return;
        notice(string.Create(CultureInfo.InvariantCulture,
            $"{name} runs, but has answered nothing for {SilenceLimit.TotalSeconds:0} s: it is killed"));
        _silent = default;
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It has ended.
        }
    }

    private static bool IsStopped(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[stat.LastIndexOf(')')..] is [_, _, 'T' or 't', ..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not Linux, or it has ended.
            return false;
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
        catch (Exception e)
        {
            // Whatever it is: who restarts the nodes tries again.
            _lastError = Failures.Describe(e);
            return ExitCode.NotDone;
        }

        string? errorOfThisRun = null;
        _log.Open();
        process.OutputDataReceived += (_, line) => Log(line.Data);
        process.ErrorDataReceived += (_, line) =>
        {
            if (IsError(line.Data)) _lastError = errorOfThisRun = WithoutPrefix(line.Data!.Trim());
            Log(line.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _pid = process.Id;
        var which = Interlocked.Increment(ref _starts) == 1 ? "started" : "started again";
        if (_told is null) notice(string.Create(CultureInfo.InvariantCulture, $"{name} {which}, pid {process.Id}"));
        try
        {
            await WaitAsync(process, exited.Task, stop);
            return process.ExitCode;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or Win32Exception)
        {
            // Of a child that cannot be waited for, nothing must be left.
            if (!process.HasExited) process.Kill();
            errorOfThisRun ??= Failures.Describe(e);
            return ExitCode.NotDone;
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

    private void Log(string? line)
    {
        if (line is not null) _log.Write(line);
    }

    /// <summary>Each end in a line of its own, but not for ever: after some in a row, what goes on is said
    /// once.</summary>
    private void TellEnd(int exitCode, TimeSpan delay)
    {
        var error = _lastError;
        var end = $"{Describe(exitCode)}{(error is null ? "" : $" ({error})")}";
        if (_policy.Failures < ToldEach)
        {
            var again = delay == TimeSpan.Zero
                ? "starting it again"
                : string.Create(CultureInfo.InvariantCulture, $"starting it again in {delay.TotalSeconds:0.#} s");
            notice($"{name} {end}, {again}");
            _told = null;
        }
        else if (_told is not { } told || told.ExitCode != exitCode || error is not null && error != told.Error)
        {
            var ends = string.Create(CultureInfo.InvariantCulture,
                $"{name} has ended {_policy.Failures} times in a row before it was in service, and {end} at last");
            notice(string.Create(CultureInfo.InvariantCulture,
                $"{ends}: it is started again and again, "
                + $"with pauses of up to {RestartPolicy.Longest.TotalSeconds:0} s"));
            _told = (exitCode, error);
        }
    }

    /// <summary>The log of a node goes to its standard error too; what is said there is no reason to end.</summary>
    private static bool IsError(string? line) =>
        // A stack trace is indented, and its first line says more.
        !string.IsNullOrWhiteSpace(line) && !char.IsWhiteSpace(line[0])
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
