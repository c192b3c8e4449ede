using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>What a request must keep to before it enters the log: every later reader may rely on it.</summary>
internal static class Limits
{
    /// <summary>The most requests of one batch, whatever the settings say.</summary>
    public const int BatchRequests = 64 * 1024;

    /// <summary>What is wrong with the write, in one line; null if nothing is.</summary>
    public static string? Check(WriteRequest request, ProtocolOptions options)
    {
        if (request.Session < 0 || request.Number <= 0) return "the session or request number is out of range";
        if (request.LowWater < 0 || request.LowWater > request.Number)
            return "the low-water mark is above the request's own number, or negative";
        if (request.Session == 0) return request.Operations.Count == 0 ? null : "a write needs a session";
        if (request.Operations.Count is 0 or > ClientLimits.Operations)
            return $"a write has 1 to {ClientLimits.Operations} operations";
        if (request.Encoded.Length > options.MaxRequestBytes) return $"a write has at most {options.MaxRequestBytes} bytes";
        foreach (var operation in request.Operations)
        {
            if (operation.Kind is < OperationKind.Put or > OperationKind.Check) return "an operation is of unknown kind";
            if (Check(operation.Key, options) is { } bad) return bad;
            if (operation.Value.Length > options.MaxValueBytes)
                return $"a value has at most {options.MaxValueBytes} bytes, this one has {operation.Value.Length}";
        }

        return null;
    }

    /// <summary>What is wrong with the keys of a read, in one line; null if nothing is.</summary>
    public static string? Check(IReadOnlyList<Key> keys, ProtocolOptions options)
    {
        if (keys.Count is 0 or > ClientLimits.KeysOfRead) return $"a read has 1 to {ClientLimits.KeysOfRead} keys";
        foreach (var key in keys)
            if (Check(key, options) is { } bad) return bad;
        return null;
    }

    private static string? Check(Key key, ProtocolOptions options)
    {
        if (key.Length == 0) return "a key must not be empty";
        return key.Length <= options.MaxKeyBytes
            ? null
            : $"a key has at most {options.MaxKeyBytes} bytes, this one has {key.Length}";
    }
}
