using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Simulation.Cluster;

/// <summary>Draws what a client writes and reads, and notes what it saw.</summary>
internal sealed class Workload(Scenario scenario, int client, Prng random)
{
    private readonly Dictionary<int, (long Uid, long Value)> _seen = [];
    private readonly int[] _keys = [.. Enumerable.Range(0, scenario.Keys)];
    private readonly Dictionary<(int Key, long Uid), long> _values = [];
    private long _puts;

    public IReadOnlyList<int> Read() =>
        random.Sample(_keys, scenario.MultiKey && random.Chance(0.4) ? random.Between(1, _keys.Length) : 1);

    public WriteOperation[] Write()
    {
        var keys = random.Sample(_keys, scenario.MultiKey && random.Chance(0.4) ? random.Between(1, _keys.Length) : 1);
        return [.. keys.Select(Operation)];
    }

    public KeyAction[] Actions(IEnumerable<WriteOperation> writes) =>
    [
        .. writes.Select(w => new KeyAction(
            w.Kind switch
            {
                OperationKind.Put => ActionKind.Put,
                OperationKind.Delete => ActionKind.Delete,
                _ => ActionKind.Check,
            },
            Values.Index(w.Key),
            w.Kind == OperationKind.Put ? Values.Id(w.Value) : 0,
            w.ExpectedUid is { } uid ? _values.GetValueOrDefault((Values.Index(w.Key), uid)) : null)),
    ];

    /// <summary>An answer did not tell what the keys had before. Conditions that held do.</summary>
    public static void ObserveNothing(ClientOperation operation, bool applied)
    {
        var actions = operation.Actions!;
        for (var i = 0; i < actions.Length; i++)
            actions[i] =
                actions[i] with { Observed = applied && actions[i].Expected is { } held ? held : KeyAction.NotTold };
    }

    /// <summary>An answer told of the keys.</summary>
    public void Observe(ClientOperation operation, IReadOnlyList<Client.Contracts.Version?> versions)
    {
        var actions = operation.Actions!;
        for (var i = 0; i < actions.Length; i++)
        {
            var (uid, value) = versions[i] is { } version ? (version.Uid, Values.Id(version.Value)) : (0L, 0L);
            actions[i] = actions[i] with { Observed = value };
            _seen[actions[i].Key] = (uid, value);
            _values[(actions[i].Key, uid)] = value;
        }
    }

    private WriteOperation Operation(int key)
    {
        long? expected = random.Below(6) switch
        {
            0 or 1 => _seen.TryGetValue(key, out var seen) ? seen.Uid : 0,
            2 => 0,
            _ => null,
        };
        return random.Below(8) switch
        {
            0 => new WriteOperation(OperationKind.Delete, Values.Key(key), default, expected),
            1 => new WriteOperation(OperationKind.Check, Values.Key(key), default, expected),
            _ => new WriteOperation(
                OperationKind.Put, Values.Key(key),
                Values.Of(client * 1_000_000L + ++_puts, scenario.Padding), expected),
        };
    }
}
