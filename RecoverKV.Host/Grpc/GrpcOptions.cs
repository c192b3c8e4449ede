using RecoverKV.Actors.Network;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.Grpc;

/// <summary>What a gRPC endpoint is given.</summary>
internal sealed record GrpcOptions
{
    /// <summary>The port of the original's load balancer.</summary>
    public const int DefaultPort = 50050;

    /// <summary>The name of the original's first server; the others follow.</summary>
    public const int FirstServer = 50051;

    /// <summary>Where to listen: a host name or an address. <c>localhost</c> is both loopback addresses.</summary>
    public required string Host { get; init; }

    /// <summary>The port to listen on.</summary>
    public required int Port { get; init; }

    /// <summary>Where a person changes the port, for the line that says that it is in use.</summary>
    public required string PortSetting { get; init; }

    /// <summary>The nodes to ask first, as HOST:PORT.</summary>
    public required IReadOnlyList<string> Contact { get; init; }

    /// <summary>The servers as clients know them.</summary>
    public required ServerNames Servers { get; init; }

    /// <summary>What the endpoint's reads promise, in this one place.</summary>
    public ReadConsistency Consistency { get; init; } = ReadConsistency.Available;

    /// <summary>How the nodes are reached; null: without TLS.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>What the endpoint itself is encrypted with; null: it is not.</summary>
    public NodeCredentials? Credentials { get; init; }

    /// <summary>The <c>recoverkv.chaos-secret</c> of the nodes; null: none.</summary>
    public string? ChaosSecret { get; init; }

    /// <summary>The bytes of the longest key and value together that the nodes take.</summary>
    public required int LongestWrite { get; init; }

    /// <summary>What calls may hold of memory.</summary>
    public CallLimits Calls { get; init; } = new();

    /// <summary>Told of a node that is about to be stopped.</summary>
    public Action<string> Stopping { get; init; } = static _ => { };

    /// <summary>Told of what should not happen.</summary>
    public required Action<string> Notice { get; init; }
}
