using System.Diagnostics;
using System.Text.Json;
using RecoverKV.Host.Bench.Loads;

namespace RecoverKV.Host.Bench.Cluster;

/// <summary>A part of a load in a process of its own: this program, started as <c>bench worker</c>. Both sides speak in
/// lines of JSON; a worker ends when its input ends.</summary>
internal sealed class WorkerProcess : IPutGetLoad
{
    private readonly Process _process;
    private volatile string? _error;

    private WorkerProcess(Process process) => _process = process;

    /// <summary>Its process.</summary>
    public int Pid => _process.Id;

    /// <summary>Starts a worker; returns when it is connected to the store.</summary>
    public static async Task<WorkerProcess> StartAsync(PutGetJob job, CancellationToken interrupt)
    {
        var worker = new WorkerProcess(new Process { StartInfo = ThisProgram.Start(["bench", "worker"]) });
        try
        {
            worker._process.ErrorDataReceived += (_, line) => worker._error = line.Data ?? worker._error;
            worker._process.Start();
            worker._process.BeginErrorReadLine();
            await worker.TellAsync(job);
            await worker.HearAsync<WorkerReady>(interrupt);
            return worker;
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<PhaseResult> RunAsync(
        PutGetPhase phase, long start, double seconds, CancellationToken interrupt)
    {
        await TellAsync(new WorkerOrder(phase, start, seconds));
        return await HearAsync<PhaseResult>(interrupt);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited) _process.Kill();
            await _process.WaitForExitAsync();
        }
        catch (InvalidOperationException)
        {
            // It could not even be started.
        }

        _process.Dispose();
    }

    private async Task TellAsync<T>(T message)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(message));
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException)
        {
            throw await EndedAsync();
        }
    }

    private async Task<T> HearAsync<T>(CancellationToken interrupt)
    {
        var line = await _process.StandardOutput.ReadLineAsync(interrupt) ?? throw await EndedAsync();
        return JsonSerializer.Deserialize<T>(line) ?? throw await EndedAsync();
    }

    private async Task<CommandFailedException> EndedAsync()
    {
        await _process.WaitForExitAsync();
        var error = _error ?? "without a reason";
        return new CommandFailedException("a client process ended: "
            + (error.StartsWith(Failures.Prefix, StringComparison.Ordinal) ? error[Failures.Prefix.Length..] : error));
    }
}

/// <summary>A worker is connected.</summary>
internal sealed record WorkerReady;

/// <summary>What a worker is to do next.</summary>
internal sealed record WorkerOrder(PutGetPhase Phase, long Start, double Seconds);
