namespace RecoverKV.Client;

/// <summary>TLS 1.2 or 1.3 between a client and the nodes. All files are PEM, and are read again for each connection:
/// they may be exchanged while the client runs.</summary>
public sealed record TlsOptions
{
    /// <summary>The file with the certificates of the authorities that sign those of nodes; nobody else is believed. A
    /// node's certificate must name the host that the client connects to.</summary>
    public required string Authority { get; init; }

    /// <summary>The file with the client's own certificate, and those between it and the authority; null if nodes ask
    /// for none (<c>recoverkv.tls.client-certificates = optional</c>).</summary>
    public string? Certificate { get; init; }

    /// <summary>The file with the private key of <see cref="Certificate"/>, without a password.</summary>
    public string? Key { get; init; }
}
