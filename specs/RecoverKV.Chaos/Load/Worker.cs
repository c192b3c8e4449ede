using RecoverKV.Chaos.History;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Linearizability;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Chaos.Load;

/// <summary>One logical client: calls one operation after the other and records what it saw.</summary>
/// <param name="number">Unique among all workers of the run.</param>
/// <param name="readsOnly">So that reads are seen to go on while writes wait.</param>
internal sealed class Worker(
    int number, bool readsOnly, RecoverKvClient client, HistoryFile.Writer history, TimeSpan think, int seed)
{
    private readonly Random _random = new(seed);
    private readonly Dictionary<int, (long Uid, long Value)> _seen = [];
    private long _puts;

    /// <summary>Calls until the end.</summary>
    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await OneAsync();
            await Task.Delay(think * 2 * _random.NextDouble(), end)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Task OneAsync()
    {
        var dice = _random.Next(100);
        var key = AnyKey();
        if (readsOnly) return dice < 80 ? ReadAsync(key) : ReadAsync(key, OtherKey(key));
        return dice switch
        {
            < 10 => ReadAsync(key),
            < 60 => WriteAsync((key, NewValue(), OperationKind.Put, null)),
            < 80 => WriteAsync((key, NewValue(), OperationKind.Put, _seen.GetValueOrDefault(key).Uid)),
            < 85 => WriteAsync((key, 0, OperationKind.Delete, null)),
            < 95 => WriteAsync(
                (key, NewValue(), OperationKind.Put, null),
                (OtherKey(key), NewValue(), OperationKind.Put, null)),
            _ => WriteAsync(
                (key, NewValue(), OperationKind.Put, null),
                (OtherKey(key), 0, OperationKind.Check, _seen.GetValueOrDefault(OtherKey(key)).Uid)),
        };
    }

    private int AnyKey() => Words.KeyAt(MonotonicClock.Now, _random.Next(Words.KeysOfSlice));

    /// <summary>Another key of the same slice.</summary>
    private static int OtherKey(int key) => key % Words.KeysOfSlice == 0 ? key + 1 : key - 1;

    private long NewValue() => number * 100_000_000L + ++_puts;

    private async Task ReadAsync(params int[] keys)
    {
        var call = MonotonicClock.Now;
        try
        {
            var results = await client.GetManyAsync([.. keys.Select(Words.Key)]);
            var versions = results.Select(r => r.Version).ToArray();
            Record(call, Outcome.Applied, 0, [.. keys.Select(k => new KeyAction(ActionKind.Get, k))], versions);
        }
        catch (RecoverKvException)
        {
            // A read without an answer says nothing.
        }
    }

    private async Task WriteAsync(params (int Key, long Value, OperationKind Kind, long? ExpectedUid)[] parts)
    {
        var actions = parts.Select(p => new KeyAction(KindOf(p.Kind), p.Key, p.Value,
            p.ExpectedUid is { } uid ? (uid == 0 ? 0 : _seen[p.Key].Value) : null)).ToArray();
        var operations = parts.Select(p => new WriteOperation(
            p.Kind, Words.Key(p.Key),
            p.Kind == OperationKind.Put ? Words.Value(p.Value, _random.Next(20, 400)) : default,
            p.ExpectedUid)).ToArray();
        var call = MonotonicClock.Now;
        try
        {
            var result = await client.WriteAsync(operations, returnPrevious: true);
            Record(call, result.Applied ? Outcome.Applied : Outcome.Refused, result.Uid, actions, result.Previous);
            if (!result.Applied) return;
            foreach (var part in parts.Where(p => p.Kind != OperationKind.Check))
                _seen[part.Key] = part.Kind == OperationKind.Put ? (result.Uid, part.Value) : default;
        }
        catch (OutcomeUnknownException)
        {
            history.Add(new HistoryEntry(number, call, 0, Outcome.Unknown, 0, actions, null));
        }
        catch (NotDoneException)
        {
            // Nothing was changed: as if it had not been called.
        }
    }

    private void Record(
        long call, Outcome outcome, long uid, KeyAction[] actions, IReadOnlyList<Version?> versions)
    {
        var @return = MonotonicClock.Now;
        var seen = new long[actions.Length];
        for (var i = 0; i < actions.Length; i++)
        {
            seen[i] = versions[i]?.Uid ?? 0;
            var value = versions[i] is { } version ? Words.Number(version.Value.Span) : 0;
            actions[i] = actions[i] with { Observed = value };
            _seen[actions[i].Key] = (seen[i], value);
        }

        history.Add(new HistoryEntry(number, call, @return, outcome, uid, actions, seen));
    }

    private static ActionKind KindOf(OperationKind kind) => kind switch
    {
        OperationKind.Put => ActionKind.Put,
        OperationKind.Delete => ActionKind.Delete,
        _ => ActionKind.Check,
    };
}
