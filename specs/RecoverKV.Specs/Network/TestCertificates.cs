using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RecoverKV.Actors.Configuration;
using RecoverKV.Host.Certificates;

namespace RecoverKV.Specs.Network;

/// <summary>Certificates as <c>recoverkv certs</c> makes them, and others that no node should take.</summary>
internal sealed class TestCertificates : IDisposable
{
    private const string Expired = "expired", SelfSigned = "self-signed", Foreign = "foreign", Early = "early";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("recoverkv-tls-");
    private readonly CertificateFolder _own;

    public TestCertificates(params string[] nodes)
    {
        _own = CertificateFolder.Open(Path.Combine(_folder.FullName, "own"));
        foreach (var node in nodes) _own.MakeNode(node, [], 30);
        _own.MakeClient("client", 30);
        var foreign = CertificateFolder.Open(Path.Combine(_folder.FullName, Foreign));
        foreign.MakeNode("b", [], 30);
        foreign.MakeClient("client", 30);
        using var authority = X509Certificate2.CreateFromPemFile(_own.Authority, _own.Key("authority"));
        var now = DateTimeOffset.UtcNow;
        Make(Expired, authority, now.AddMinutes(-50), now.AddMinutes(-1));
        Make(Early, authority, now.AddDays(1), now.AddDays(2));
        Make(SelfSigned, null, now.AddMinutes(-50), now.AddDays(1));
    }

    public CertificateFolder Own => _own;

    /// <summary>A path in a folder that is deleted at the end.</summary>
    public string At(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>By its name: one of this authority's; <c>foreign</c>, of another one, for b; others that say that they
    /// are b's.
    /// </summary>
    public X509Certificate2 this[string name] => name == Foreign
        ? X509Certificate2.CreateFromPemFile(At("foreign/b.pem"), At("foreign/b.key"))
        : X509Certificate2.CreateFromPemFile(_own.Certificate(name), _own.Key(name));

    /// <summary>The settings of a node.</summary>
    public string Settings(string node, string clients = "required") => $$"""
        tls {
          mode = on
          certificate = "{{_own.Certificate(node)}}"
          key = "{{_own.Key(node)}}"
          authority = "{{_own.Authority}}"
          client-certificates = {{clients}}
        }
        """;

    public void Dispose() => _folder.Delete(recursive: true);

    private void Make(string name, X509Certificate2? authority, DateTimeOffset from, DateTimeOffset to)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=b", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(NodeCertificate.Uri("b"));
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var made = authority is null
            ? request.CreateSelfSigned(from, to)
            : request.Create(authority, from, to, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(_own.Certificate(name), made.ExportCertificatePem());
        File.WriteAllText(_own.Key(name), key.ExportPkcs8PrivateKeyPem());
    }
}
