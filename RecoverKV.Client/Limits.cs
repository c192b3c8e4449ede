using RecoverKV.Client.Contracts;

namespace RecoverKV.Client;

/// <summary>Refuses what the nodes would refuse, before it travels.</summary>
internal static class Limits
{
    /// <summary>The most bytes of keys and values in one message to the nodes.</summary>
    internal static int MessageBytes(ClusterView view) =>
        Math.Min(view.FrameBytes, ClientLimits.FrameBytesMost) - ClientLimits.FrameOverhead;

    internal static InvalidRequestException? Broken(
        IReadOnlyList<WriteOperation> operations, ClusterView view, out int bytes)
    {
        // The numbers and lengths around keys and values have their room too.
        long total = 64;
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
            total += operation.Key.Length + operation.Value.Length + 32;
        }

        var most = Math.Min(view.MaxWriteBytes, MessageBytes(view));
        if (total > most) return new($"The write has {total} bytes; at most {most} are allowed together.");
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
        long total = 16;
        foreach (var key in keys)
        {
            if (Broken(key, view) is { } broken) return broken;
            total += key.Length + 8;
        }

        var most = MessageBytes(view);
        return total > most
            ? new($"The keys of the read have {total} bytes; at most {most} are allowed together.")
            : null;
    }

    private static InvalidRequestException? Broken(Key key, ClusterView view)
    {
        if (key.Length == 0) return new("The key is empty.");
        return key.Length > view.MaxKeyBytes
            ? new($"The key has {key.Length} bytes; at most {view.MaxKeyBytes} are allowed.")
            : null;
    }
}
