namespace RecoverKV.Host.Checks;

/// <summary>The store as the checks see it: by gRPC or by the native client.</summary>
internal interface ICheckedStore : IAsyncDisposable
{
    /// <summary>The servers, under the names that this way has for them.</summary>
    IReadOnlyList<string> Servers { get; }

    /// <summary>Writes a key; its old value, null if it had none.</summary>
    Task<string?> PutAsync(string key, string value, CancellationToken cancellation);

    /// <summary>Reads a key with what the original's clients are promised; null: it is absent.</summary>
    Task<string?> GetAsync(string key, CancellationToken cancellation);

    /// <summary>Whether all servers are ALIVE.</summary>
    Task<bool> AreAliveAsync(CancellationToken cancellation);

    /// <summary>Stops a server, which is started again.</summary>
    /// <exception cref="NotAllowedException">This store does not let it.</exception>
    Task StopAsync(string server, bool clean, CancellationToken cancellation);

    /// <summary>Limits from whom a server may heal; by all others it is not limited any more.</summary>
    /// <exception cref="NotAllowedException">This store does not let it.</exception>
    Task PartitionAsync(string server, IReadOnlyList<string> reachable, CancellationToken cancellation);

    /// <summary>Whether a client is kept from stopping a server that it did not name.</summary>
    /// <exception cref="NotAllowedException">It takes two servers.</exception>
    Task<bool> RefusesUnnamedAsync(string server, CancellationToken cancellation);
}

/// <summary>A check needs what this store does not let it do.</summary>
internal sealed class NotAllowedException(string message) : Exception(message);

/// <summary>A check saw what it should not.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);
