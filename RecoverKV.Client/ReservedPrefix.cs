using RecoverKV.Client.Contracts;

namespace RecoverKV.Client;

/// <summary>The keys that the gRPC endpoint keeps for itself in the store begin with this. Nobody else writes them:
/// such a key would open a client of the endpoint, and no dump would show it.</summary>
internal static class ReservedPrefix
{
    /// <summary>Whether a key is one of them.</summary>
    internal static bool Begins(Key key) => key.Bytes.Span.StartsWith("\0grpc-"u8);

    /// <summary>Why a write is refused to anybody but the endpoint; null: it is not.</summary>
    internal static InvalidRequestException? Broken(IReadOnlyList<WriteOperation> operations)
    {
        foreach (var operation in operations)
        {
            if (Begins(operation.Key))
                return new("The key begins with a NUL and \"grpc-\": such keys are reserved for the gRPC endpoint.");
        }

        return null;
    }
}
