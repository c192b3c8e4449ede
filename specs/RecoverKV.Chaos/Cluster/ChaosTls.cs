using RecoverKV.Chaos.Network;
using RecoverKV.Client;
using RecoverKV.Host.Certificates;

namespace RecoverKV.Chaos.Cluster;

/// <summary>Certificates of the nodes and clients of a run. The programs that it starts find the client's in the
/// environment.
/// </summary>
internal sealed class ChaosTls
{
    private const int Days = 30;
    private readonly CertificateFolder _folder;
    private readonly IChaosNetwork _network;
    private readonly int _nodes;

    public ChaosTls(string folder, IChaosNetwork network, int nodes)
    {
        (_folder, _network, _nodes) = (CertificateFolder.Open(Path.Combine(folder, "tls")), network, nodes);
        Exchange();
        var client = _folder.ClientOptions(CertificateFolder.Client);
        Environment.SetEnvironmentVariable("RECOVERKV_CACERT", client.Authority);
        Environment.SetEnvironmentVariable("RECOVERKV_CERT", client.Certificate);
        Environment.SetEnvironmentVariable("RECOVERKV_KEY", client.Key);
    }

    /// <summary>What a process that was started by a run goes by; null: no TLS.</summary>
    public static TlsOptions? Inherited =>
        Environment.GetEnvironmentVariable("RECOVERKV_CACERT") is { Length: > 0 } authority
            ? new TlsOptions
            {
                Authority = authority,
                Certificate = Environment.GetEnvironmentVariable("RECOVERKV_CERT"),
                Key = Environment.GetEnvironmentVariable("RECOVERKV_KEY"),
            }
            : null;

    /// <summary>New certificates for all, in the place of the old ones.</summary>
    public void Exchange()
    {
        for (var node = 1; node <= _nodes; node++) _folder.MakeNode($"node{node}", [_network.Host(node)], Days);
        _folder.MakeClient(CertificateFolder.Client, Days);
    }

    /// <summary>The settings of a node.</summary>
    public string Hocon(string node) => $$"""
        tls {
                mode = on
                certificate = "{{_folder.Certificate(node)}}"
                key = "{{_folder.Key(node)}}"
                authority = "{{_folder.Authority}}"
              }
        """;
}
