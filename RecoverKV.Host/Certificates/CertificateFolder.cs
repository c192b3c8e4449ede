using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Storage;
using RecoverKV.Client;
using RecoverKV.Client.Network;

namespace RecoverKV.Host.Certificates;

/// <summary>A folder with an authority and what it has signed: NAME.pem and NAME.key for each node and client. For
/// trying TLS out, and for clusters whose operators have no authority of their own.</summary>
internal sealed class CertificateFolder
{
    /// <summary>The name of the client whose certificate <c>up --tls</c> makes.</summary>
    public const string Client = "client";

    private const string AuthorityName = "authority";
    private static readonly TimeSpan AuthorityTime = TimeSpan.FromDays(3650), Renewal = TimeSpan.FromDays(30);

    // Clocks differ: nobody refuses what is new for that.
    private static readonly TimeSpan Before = TimeSpan.FromDays(2);
    private static readonly Oid ForServers = new("1.3.6.1.5.5.7.3.1"), ForClients = new("1.3.6.1.5.5.7.3.2");

    private readonly string _path;
    private readonly X509Certificate2 _authority;

    private CertificateFolder(string path, X509Certificate2 authority) => (_path, _authority) = (path, authority);

    /// <summary>The certificate of the authority.</summary>
    public string Authority => Certificate(AuthorityName);

    /// <summary>Opens it, with the authority that is in it; makes both if they are not there.</summary>
    /// <exception cref="CommandFailedException">It cannot be written, or what is in it is no authority.</exception>
    public static CertificateFolder Open(string path) => Try(path, () =>
    {
        path = Path.GetFullPath(path);
        Directory.CreateDirectory(path);
        var (certificate, key) = (FileOf(path, AuthorityName, ".pem"), FileOf(path, AuthorityName, ".key"));
        if (!File.Exists(certificate) && !File.Exists(key))
        {
            using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = Request("RecoverKV authority", own);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
            request.CertificateExtensions.Add(
                new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
            var now = DateTimeOffset.UtcNow;
            using var made = request.CreateSelfSigned(now - Before, now + AuthorityTime);
            Write(key, own.ExportPkcs8PrivateKeyPem());
            Write(certificate, made.ExportCertificatePem());
        }

        return new CertificateFolder(path, X509Certificate2.CreateFromPemFile(certificate, key));
    });

    /// <summary>The file of a certificate.</summary>
    public string Certificate(string name) => FileOf(_path, name, ".pem");

    /// <summary>The file of its private key.</summary>
    public string Key(string name) => FileOf(_path, name, ".key");

    /// <summary>What a client of this name goes by.</summary>
    public TlsOptions ClientOptions(string name) =>
        new() { Authority = Authority, Certificate = Certificate(name), Key = Key(name) };

    /// <summary>Makes a certificate of a node, in the place of one that is there.</summary>
    /// <param name="node">Its id.</param>
    /// <param name="hosts">Where it is reached, besides loopback.</param>
    /// <param name="days">How long it is good.</param>
    public void MakeNode(string node, IEnumerable<string> hosts, int days) => Make(node, days, request =>
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(NodeCertificate.Uri(node));
        foreach (var host in hosts.Append("localhost").Append("127.0.0.1").Append("::1")
            .Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ForServers, ForClients], critical: false));
    });

    /// <summary>Makes a certificate of a client, in the place of one that is there.</summary>
    public void MakeClient(string name, int days) => Make(name, days, request =>
    {
        if (File.Exists(Certificate(name)))
        {
            using var there = X509CertificateLoader.LoadCertificateFromFile(Certificate(name));
            if (NodeCertificate.NodesOf(there).Count > 0)
                throw new IOException($"{Certificate(name)} is the certificate of a node");
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ForClients], critical: false));
    });

    /// <summary>Whether there is one of this authority that is good for a while.</summary>
    public bool Has(string name)
    {
        if (!File.Exists(Certificate(name)) || !File.Exists(Key(name))) return false;
        try
        {
            var found = Credentials.Load(Authority, Certificate(name), Key(name));
            return found.WhyNotOwn(asServer: false) is null
                && found.Certificate!.NotAfter.ToUniversalTime() > DateTime.UtcNow + Renewal;
        }
        catch (BadCredentialsException)
        {
            return false;
        }
    }

    private void Make(string name, int days, Action<CertificateRequest> extend) => Try(_path, () =>
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(name, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
                _authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        extend(request);
        var now = DateTimeOffset.UtcNow;
        DateTimeOffset end = now + TimeSpan.FromDays(days), last = new(_authority.NotAfter.ToUniversalTime());
        DateTimeOffset begin = now - Before, first = new(_authority.NotBefore.ToUniversalTime());
        var serial = RandomNumberGenerator.GetBytes(16);
        // A positive number of its whole length.
        serial[0] = (byte)(serial[0] & 0x7f | 0x40);
        using var made = request.Create(_authority, begin < first ? first : begin, end > last ? last : end, serial);
        Write(Key(name), key.ExportPkcs8PrivateKeyPem());
        Write(Certificate(name), made.ExportCertificatePem());
        return true;
    });

    private static CertificateRequest Request(string name, ECDsa key)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    /// <summary>Who reads it meanwhile has the old one or the new one, whole.</summary>
    private static void Write(string file, string text)
    {
        var draft = $"{file}.{Guid.NewGuid():N}";
        using (var writer = PrivateFile.Open(draft, FileMode.CreateNew)) writer.Write(text + "\n");
        File.Move(draft, file, overwrite: true);
    }

    private static string FileOf(string path, string name, string kind) => Path.Combine(path, name + kind);

    private static T Try<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException
            or ArgumentException)
        {
            throw new CommandFailedException($"certificates in {path}: {e.Message}");
        }
    }
}
