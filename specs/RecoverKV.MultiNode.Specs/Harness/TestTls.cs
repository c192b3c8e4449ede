using RecoverKV.Client;
using RecoverKV.Host.Certificates;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>Certificates of the nodes of a cluster.</summary>
internal sealed class TestTls
{
    private readonly CertificateFolder _folder;

    /// <param name="folder">Where they are made.</param>
    /// <param name="nodes">Whose.</param>
    public TestTls(string folder, IEnumerable<string> nodes)
    {
        _folder = CertificateFolder.Open(folder);
        Nodes = [.. nodes];
        Exchange();
    }

    /// <summary>Whether all clusters have it that do not say: with the variable RECOVERKV_SPECS_TLS.</summary>
    public static bool IsDefault { get; } =
        Environment.GetEnvironmentVariable("RECOVERKV_SPECS_TLS") is { Length: > 0 };

    private IReadOnlyList<string> Nodes { get; }

    /// <summary>What a client goes by.</summary>
    public TlsOptions Client => _folder.ClientOptions(CertificateFolder.Client);

    /// <summary>New ones for all.</summary>
    public void Exchange()
    {
        foreach (var node in Nodes) _folder.MakeNode(node, [], days: 30);
        _folder.MakeClient(CertificateFolder.Client, days: 30);
    }

    /// <summary>The settings of a node.</summary>
    public string Hocon(string node) => $$"""
        recoverkv {
          secret = ""
          tls {
            mode = on
            certificate = "{{_folder.Certificate(node)}}"
            key = "{{_folder.Key(node)}}"
            authority = "{{_folder.Authority}}"
          }
        }
        """;
}
