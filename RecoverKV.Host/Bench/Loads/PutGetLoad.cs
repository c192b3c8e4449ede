using System.Runtime.CompilerServices;
using RecoverKV.Client;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>What one process does in a load of puts and then gets. JSON is its form between processes.</summary>
internal sealed record PutGetJob
{
    /// <summary>The nodes to ask first.</summary>
    public required IReadOnlyList<string> Contact { get; init; }

    /// <summary>The time of a call.</summary>
    public required double TimeoutSeconds { get; init; }

    /// <summary>How they are reached; null: without TLS.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>How many callers.</summary>
    public required int Callers { get; init; }

    /// <summary>The number of the first key.</summary>
    public required int First { get; init; }

    /// <summary>How many keys.</summary>
    public required int Count { get; init; }

    /// <summary>Bytes of a key.</summary>
    public required int KeySize { get; init; }

    /// <summary>Bytes of a value.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Names this run in its values.</summary>
    public required long Run { get; init; }

    /// <summary>How a client is made.</summary>
    public RecoverKvClientOptions ClientOptions => new()
    {
        Deadline = TimeSpan.FromSeconds(TimeoutSeconds),
        ConnectTimeout = TimeSpan.FromSeconds(TimeoutSeconds),
        Tls = Tls,
    };
}

/// <summary>The parts of such a load.</summary>
internal enum PutGetPhase
{
    /// <summary>Puts and gets of other keys, for some seconds.</summary>
    WarmUp,

    /// <summary>Each key is written once.</summary>
    Puts,

    /// <summary>Each key is read once, and compared if its write was acknowledged.</summary>
    Gets,

    /// <summary>What was acknowledged and not read back yet, because the read failed, is read again.</summary>
    Rest,
}

/// <summary>What became of the acknowledged writes.</summary>
/// <param name="Acknowledged">How many writes were acknowledged and not followed by another of their key.</param>
/// <param name="ReadBack">How many of these gave back what was written.</param>
/// <param name="Wrong">How many reads gave something else than was promised.</param>
/// <param name="AWrong">What one of these gave.</param>
internal sealed record CheckResult(long Acknowledged, long ReadBack, long Wrong, string? AWrong)
{
    /// <summary>Whether every promise was kept.</summary>
    public bool Holds => Wrong == 0 && ReadBack == Acknowledged;

    /// <summary>That of several processes together.</summary>
    public static CheckResult Merge(IReadOnlyCollection<CheckResult> parts) => new(
        parts.Sum(p => p.Acknowledged), parts.Sum(p => p.ReadBack), parts.Sum(p => p.Wrong),
        parts.Select(p => p.AWrong).FirstOrDefault(w => w is not null));
}

/// <summary>What a phase gave.</summary>
internal sealed record PhaseResult(Figures Figures, CheckResult Check);

/// <summary>A load of puts and gets, here or in another process.</summary>
internal interface IPutGetLoad : IAsyncDisposable
{
    /// <summary>Runs one part of it.</summary>
    /// <param name="phase">Which one.</param>
    /// <param name="start">When it begins, by the machine's monotonic clock.</param>
    /// <param name="seconds">How long to warm up.</param>
    /// <param name="interrupt">Gives up.</param>
    Task<PhaseResult> RunAsync(PutGetPhase phase, long start, double seconds, CancellationToken interrupt);
}

/// <summary>A load of puts and gets by this process.</summary>
internal sealed class PutGetLoad : IPutGetLoad
{
    private const int WarmKeys = 10_000;

    // What is known of each write.
    private const byte Acknowledged = 1;
    private const byte ReadBack = 2;
    private const byte Wrong = 3;

    private readonly RecoverKvClient _client;
    private readonly PutGetJob _job;
    private readonly MachineClock _clock = new();
    private readonly KeySpace _keys;
    private readonly KeySpace _warmKeys;
    private readonly ValueForm _values;
    private readonly byte[] _states;
    private string? _aWrong;

    /// <summary>Uses the client, which stays the giver's.</summary>
    public PutGetLoad(RecoverKvClient client, PutGetJob job)
    {
        (_client, _job) = (client, job);
        _keys = new KeySpace(KeySpace.Measured, job.First, job.Count, job.KeySize);
        _warmKeys = new KeySpace(KeySpace.Warm, 0, WarmKeys, job.KeySize);
        _values = new ValueForm(job.ValueSize, job.Run);
        _states = new byte[job.Count];
    }

    /// <summary>Called when the put with this number, from 0 on, is about to begin.</summary>
    public Action<long> BeforePut { get; set; } = static _ => { };

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _clock.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<PhaseResult> RunAsync(PutGetPhase phase, long start, double seconds, CancellationToken interrupt) =>
        RunAsync(phase, phase == PutGetPhase.WarmUp
            ? Schedule.Closed(start, Nanoseconds.FromSeconds(seconds))
            : Schedule.Of(start, _job.Count), interrupt);

    /// <summary>Runs a part of the keys only.</summary>
    public Task<PhaseResult> RunAsync(PutGetPhase phase, int from, int count, CancellationToken interrupt) =>
        RunAsync(phase, Schedule.Of(Nanoseconds.Now, count), interrupt, from);

    private async Task<PhaseResult> RunAsync(
        PutGetPhase phase, Schedule schedule, CancellationToken interrupt, int from = 0)
    {
        Workload workload = phase switch
        {
            PutGetPhase.WarmUp => new WarmUp(this),
            PutGetPhase.Puts => new Puts(this, from),
            PutGetPhase.Gets => new Gets(this, from, all: true),
            _ => new Gets(this, from, all: false),
        };
        var figures = await new LoadLoop(_clock, workload, _job.Callers).RunAsync(schedule, interrupt);
        return new PhaseResult(Figures.Merge(figures[0].Name, figures), Check());
    }

    private CheckResult Check()
    {
        var readBack = _states.Count(s => s == ReadBack);
        var wrong = _states.Count(s => s == Wrong);
        return new CheckResult(_states.Count(s => s == Acknowledged) + readBack + wrong, readBack, wrong, _aWrong);
    }

    private sealed class Puts(PutGetLoad load, int from) : Workload
    {
        public override IReadOnlyList<string> Kinds { get; } = ["puts"];

        public override int BufferSize => load._values.Size;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        public override async ValueTask ExecuteAsync(Caller caller, long ticket)
        {
            load.BeforePut(ticket);
            var index = from + (int)ticket;
            load._values.Write(caller.Buffer, load._keys.First + index, 1);
            await load._client.PutAsync(load._keys[index], caller.Buffer);
            load._states[index] = Acknowledged;
        }
    }

    private sealed class Gets(PutGetLoad load, int from, bool all) : Workload
    {
        public override IReadOnlyList<string> Kinds { get; } = ["gets"];

        public override int BufferSize => 0;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        public override async ValueTask ExecuteAsync(Caller caller, long ticket)
        {
            var index = from + (int)ticket;
            var state = load._states[index];
            if (!all && state != Acknowledged) return;
            var found = await load._client.GetAsync(load._keys[index]);
            if (state != Acknowledged) return;
            var right = found.Version is { } version
                && load._values.VersionOf(version.Value.Span, load._keys.First + index) == 1;
            if (!right)
                load._aWrong ??= $"{load._keys[index]} has "
                    + (found.Version is null ? "no value" : $"another value, of uid {found.Version.Uid}");
            load._states[index] = right ? ReadBack : Wrong;
        }
    }

    private sealed class WarmUp(PutGetLoad load) : Workload
    {
        public override IReadOnlyList<string> Kinds { get; } = ["warm-up"];

        public override int BufferSize => load._values.Size;

        public override async ValueTask ExecuteAsync(Caller caller, long ticket)
        {
            var index = (int)(ticket / 2 % load._warmKeys.Count);
            load._values.Write(caller.Buffer, index, 1);
            if (ticket % 2 == 0) await load._client.PutAsync(load._warmKeys[index], caller.Buffer);
            else await load._client.GetAsync(load._warmKeys[index]);
        }
    }
}
