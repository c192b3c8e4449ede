using RecoverKV.Client.Contracts;

namespace RecoverKV.Client;

/// <summary>Refuses what the nodes would refuse, before it travels.</summary>
internal static class Limits
{
    internal static InvalidRequestException? Broken(
        IReadOnlyList<WriteOperation> operations, ClusterView view, out int bytes)
    {
        long total = 0;
        bytes = 0;
        if (operations.Count is 0 or > ClientLimits.Operations)
            return new($"The write has {operations.Count} operations; it must have 1 to {ClientLimits.Operations}.");
        foreach (var operation in operations)
        {
            if (Broken(operation.Key, view) is { } broken) return broken;
            if (operation.Kind is < OperationKind.Put or > OperationKind.Check)
                return new($"There is no operation {operation.Kind}.");
            if (operation.Kind != OperationKind.Put && !operation.Value.IsEmpty)
                return new($"An operation {operation.Kind} has no value.");
            if (operation.Value.Length > view.MaxValueBytes)
                return new($"The value has {operation.Value.Length} bytes; at most {view.MaxValueBytes} are allowed.");
            if (operation.ExpectedUid < 0)
                return new($"There is no uid {operation.ExpectedUid}; 0 stands for an absent key.");
            // 32 covers the numbers and lengths around a key and a value.
            total += operation.Key.Length + operation.Value.Length + 32;
        }

        if (total > ClientLimits.WriteBytes)
            return new($"The write has {total} bytes; at most {ClientLimits.WriteBytes} are allowed together.");
        bytes = (int)total;
        return null;
    }

    internal static InvalidRequestException? Broken(
        IReadOnlyList<Key> keys, ReadConsistency consistency, ClusterView view)
    {
        if (consistency is < ReadConsistency.Linearizable or > ReadConsistency.Available)
            return new($"There is no consistency {consistency}.");
        if (keys.Count > ClientLimits.KeysOfRead)
            return new($"The read has {keys.Count} keys; at most {ClientLimits.KeysOfRead} are allowed together.");
        foreach (var key in keys)
        {
            if (Broken(key, view) is { } broken) return broken;
        }

        return null;
    }

    private static InvalidRequestException? Broken(Key key, ClusterView view)
    {
        if (key.Length == 0) return new("The key is empty.");
        return key.Length > view.MaxKeyBytes
            ? new($"The key has {key.Length} bytes; at most {view.MaxKeyBytes} are allowed.")
            : null;
    }
}
