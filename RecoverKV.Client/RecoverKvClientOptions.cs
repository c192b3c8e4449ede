using RecoverKV.Client.Network;

namespace RecoverKV.Client;

/// <summary>Options of a <see cref="RecoverKvClient"/>.</summary>
public sealed record RecoverKvClientOptions
{
    /// <summary>Every call ends within this time, with an answer or an error.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long <see cref="RecoverKvClient.ConnectAsync"/> looks for a node that answers.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Null: connections are not encrypted, which nodes take with <c>recoverkv.tls.mode = off</c>
    /// only.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Goes with orders to stop and cut nodes, which do them even with <c>recoverkv.chaos = off</c> if it is
    /// their <c>recoverkv.chaos-secret</c>; null: none.</summary>
    internal string? ChaosSecret { get; init; }

    /// <summary>Whether keys of <see cref="ReservedPrefix"/> may be written: by the gRPC endpoint only.</summary>
    internal bool WritesReservedKeys { get; init; }

    internal void Validate()
    {
        Check(Deadline, nameof(Deadline));
        Check(ConnectTimeout, nameof(ConnectTimeout));
        CheckTls();
    }

    private void CheckTls()
    {
        if (Tls is null) return;
        try
        {
            Credentials.Load(Tls.Authority, Tls.Certificate, Tls.Key);
        }
        catch (BadCredentialsException e)
        {
            var file = e.Path.Length == 0 ? "missing" : $"\"{e.Path}\"";
            throw new ArgumentException($"{nameof(Tls)}.{e.File} is {file}: {e.Message}.", e);
        }
    }

    private static void Check(TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero || value > TimeSpan.FromDays(1))
            throw new ArgumentException($"{name} is {value}; it must be more than zero and at most a day.");
    }
}
