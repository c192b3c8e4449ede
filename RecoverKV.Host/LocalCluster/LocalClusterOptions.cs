using System.Globalization;
using System.Security.Cryptography;
using RecoverKV.Client;
using RecoverKV.Host.Certificates;
using RecoverKV.Host.Grpc;

namespace RecoverKV.Host.LocalCluster;

/// <summary>What <c>recoverkv up</c> was asked for.</summary>
internal sealed record LocalClusterOptions
{
    /// <summary>Where all nodes listen.</summary>
    public const string Host = "127.0.0.1";

    private const int CertificateDays = 365;

    /// <summary>How many nodes.</summary>
    public required int Nodes { get; init; }

    /// <summary>The folder above those of the nodes.</summary>
    public required string Data { get; init; }

    /// <summary>The port of node1; the others follow.</summary>
    public required int Port { get; init; }

    /// <summary>Whether to begin empty.</summary>
    public bool Fresh { get; init; }

    /// <summary>Whether the nodes take <c>stop</c> and <c>partition</c>.</summary>
    public bool Chaos { get; init; }

    /// <summary>The port of the gRPC endpoint; 0: there is none.</summary>
    public int GrpcPort { get; init; }

    /// <summary>Orders that carry it may stop and cut nodes without <see cref="Chaos"/>; empty: none.</summary>
    public string ChaosSecret { get; init; } = "";

    /// <summary>By which the nodes know each other: a new one at each run.</summary>
    public string Secret { get; } = RandomNumberGenerator.GetHexString(32);

    /// <summary>The certificates of the nodes and of a client; null: no TLS.</summary>
    public CertificateFolder? Certificates { get; private init; }

    /// <summary>What a client of the nodes goes by; null: no TLS.</summary>
    public TlsOptions? ClientTls => Certificates?.ClientOptions(CertificateFolder.Client);

    /// <summary>Settings passed on to every node, as KEY=VALUE.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>How long to wait for a port that is in use: the nodes of an `up` that was killed just now leave by
    /// themselves, in a moment.</summary>
    public TimeSpan PortPatience { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>The same with TLS, by certificates in the data folder: those that are there are taken.</summary>
    /// <exception cref="CommandFailedException">They cannot be made.</exception>
    public LocalClusterOptions WithTls()
    {
        var folder = CertificateFolder.Open(Path.Combine(Data, "tls"));
        foreach (var node in Plan().Where(n => !folder.Has(n.Id))) folder.MakeNode(node.Id, [Host], CertificateDays);
        if (!folder.Has(CertificateFolder.Client)) folder.MakeClient(CertificateFolder.Client, CertificateDays);
        return this with { Certificates = folder };
    }

    /// <summary>The nodes as the original's clients call them, whatever their ports: the names stand in those programs.
    /// </summary>
    public IReadOnlyList<(string Server, string Node)> GrpcServers =>
        [.. Plan().Select(
            (n, i) => (string.Create(CultureInfo.InvariantCulture, $"localhost:{GrpcOptions.FirstServer + i}"), n.Id))];

    /// <summary>The nodes.</summary>
    public IReadOnlyList<LocalNode> Plan() =>
        [.. Enumerable.Range(1, Nodes).Select(i => new LocalNode(
            string.Create(CultureInfo.InvariantCulture, $"node{i}"), Port + i - 1,
            Path.Combine(Path.GetFullPath(Data), string.Create(CultureInfo.InvariantCulture, $"node{i}"))))];
}

/// <summary>One node of a local cluster.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="Port">Its port.</param>
/// <param name="Folder">Its data folder, an absolute path.</param>
internal sealed record LocalNode(string Id, int Port, string Folder)
{
    /// <summary>HOST:PORT.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"{LocalClusterOptions.Host}:{Port}");

    /// <summary>Its configuration file.</summary>
    public string ConfigFile => Path.Combine(Folder, NodeConfigFile.Name);

    /// <summary>What it prints goes here.</summary>
    public string LogFile => Path.Combine(Folder, "node.log");
}
