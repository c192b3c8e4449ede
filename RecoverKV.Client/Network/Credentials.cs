using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RecoverKV.Client.Network;

/// <summary>A file that credentials are read from.</summary>
internal enum CredentialsFile
{
    /// <summary>Certificates of authorities.</summary>
    Authority,

    /// <summary>This side's certificate.</summary>
    Certificate,

    /// <summary>Its private key.</summary>
    Key,
}

/// <summary>A file of credentials is not what it should be; the message says why, and names no file.</summary>
internal sealed class BadCredentialsException(
    CredentialsFile file, string path, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Which one.</summary>
    internal CredentialsFile File => file;

    /// <summary>Where it is.</summary>
    internal string Path => path;
}

/// <summary>What one side of a TLS connection shows, and whom it believes. Immutable.</summary>
/// <remarks>A certificate that is not believed does not end the handshake: what is wrong with it is said afterwards, in
/// words, to both sides, before anything else is taken from the connection.</remarks>
internal sealed class Credentials
{
    /// <summary>The versions of TLS that are spoken.</summary>
    internal const SslProtocols Versions = SslProtocols.Tls12 | SslProtocols.Tls13;

    private const int MostBytes = 1024 * 1024;
    private readonly X509Certificate2Collection _authorities;
    private readonly SslStreamCertificateContext? _own;

    private Credentials(
        X509Certificate2Collection authorities, X509Certificate2? certificate, X509Certificate2Collection between)
    {
        (_authorities, Certificate) = (authorities, certificate);
        if (certificate is not null) _own = SslStreamCertificateContext.Create(certificate, between, offline: true);
    }

    /// <summary>What this side shows; null if nothing.</summary>
    internal X509Certificate2? Certificate { get; }

    /// <summary>Reads them, and checks that they fit each other.</summary>
    /// <exception cref="BadCredentialsException">One of the files cannot be used.</exception>
    internal static Credentials Load(string authority, string? certificate, string? key) =>
        Parse(Texts.Read(authority, certificate, key));

    /// <inheritdoc cref="Load"/>
    internal static Credentials Parse(Texts texts)
    {
        var authorities = Certificates(texts.Authority, CredentialsFile.Authority);
        if (texts.Certificate is null) return new Credentials(authorities, null, []);
        var chain = Certificates(texts.Certificate, CredentialsFile.Certificate);
        var own = WithKey(texts.Certificate, texts.Key!);
        chain.RemoveAt(0);
        try
        {
            return NotNow(own) is { } why
                ? throw new BadCredentialsException(CredentialsFile.Certificate, texts.Certificate.Path, why)
                : new Credentials(authorities, own, chain);
        }
        catch (CryptographicException e)
        {
            throw new BadCredentialsException(
                CredentialsFile.Certificate, texts.Certificate.Path,
                $"a certificate is wanted ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Why others that believe the same authorities would not take this side's certificate; null if they
    /// would.</summary>
    /// <param name="asServer">Whether as a server's, too.</param>
    internal string? WhyNotOwn(bool asServer)
    {
        if (Certificate is null) return null;
        var between = new X509Certificate2Collection();
        foreach (var one in _own!.IntermediateCertificates) between.Add(one);
        return WhyNot(Certificate, between, Oids.Client)
            ?? (asServer ? WhyNot(Certificate, between, Oids.Server) : null);
    }

    /// <summary>Secures a connection that this side has made.</summary>
    /// <param name="stream">Belongs to what is returned.</param>
    /// <param name="host">Where it goes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="IOException">TLS cannot be spoken with the other side.</exception>
    internal Task<Secured> ConnectAsync(Stream stream, string host, CancellationToken cancellation) => SecureAsync(
        stream, Oids.Server, (secure, check) => secure.AuthenticateAsClientAsync(
            ClientOptions(host, check), cancellation));

    /// <summary>Secures a connection that the other side has made, and asks for its certificate.</summary>
    /// <param name="stream">Belongs to what is returned.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="IOException">TLS cannot be spoken with the other side.</exception>
    internal Task<Secured> AcceptAsync(Stream stream, CancellationToken cancellation) => SecureAsync(
        stream, Oids.Client, (secure, check) => secure.AuthenticateAsServerAsync(ServerOptions(check), cancellation));

    /// <summary>How a client of this side secures its connections to a server that must have this name.</summary>
    internal SslClientAuthenticationOptions ClientOptions(string host) =>
        ClientOptions(host, (_, certificate, chain, _) =>
            certificate is X509Certificate2 shown && WhyNotServer(shown, chain, host) is null);

    private SslClientAuthenticationOptions ClientOptions(
        string host, RemoteCertificateValidationCallback check) => new()
        {
            TargetHost = host,
            EnabledSslProtocols = Versions,
            ClientCertificateContext = _own,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = NewPolicy(),
            RemoteCertificateValidationCallback = check,
            AllowRenegotiation = false,
            AllowTlsResume = false,
        };

    /// <summary>How a server of this side secures its connections.</summary>
    /// <param name="check">Decides about the other side's certificate.</param>
    internal SslServerAuthenticationOptions ServerOptions(RemoteCertificateValidationCallback check) => new()
    {
        ServerCertificateContext = _own,
        ClientCertificateRequired = true,
        EnabledSslProtocols = Versions,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = NewPolicy(),
        RemoteCertificateValidationCallback = check,
        AllowRenegotiation = false,
        AllowTlsResume = false,
    };

    // Nothing that a certificate says is looked up anywhere.
    private X509ChainPolicy NewPolicy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_authorities);
        return policy;
    }

    /// <summary>Why a client's certificate is not believed; null if it is.</summary>
    /// <param name="certificate">Its certificate.</param>
    /// <param name="chain">With what it sent beside.</param>
    internal string? WhyNotClient(X509Certificate2 certificate, X509Chain? chain) =>
        WhyNot(certificate, chain?.ChainPolicy.ExtraStore, Oids.Client);

    private string? WhyNotServer(X509Certificate2 certificate, X509Chain? chain, string host) =>
        WhyNot(certificate, chain?.ChainPolicy.ExtraStore, Oids.Server) ?? WhyNotHost(certificate, host);

    /// <summary>Why a server's certificate is not that of this host; null if it is.</summary>
    internal static string? WhyNotHost(X509Certificate2 certificate, string host)
    {
        try
        {
            if (certificate.MatchesHostname(host, allowCommonName: false)) return null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Its names are damaged, or the host is none that a certificate could have.
        }

        return $"its certificate ({Name(certificate)}) is not of the host {host}";
    }

    private string? WhyNot(X509Certificate2 certificate, X509Certificate2Collection? between, Oid use)
    {
        if (NotNow(certificate) is { } why) return $"its certificate ({Name(certificate)}): {why}";
        using var chain = new X509Chain();
        var policy = NewPolicy();
        chain.ChainPolicy = policy;
        if (between is not null) policy.ExtraStore.AddRange(between);
        policy.ApplicationPolicy.Add(use);
        var isGood = chain.Build(certificate);
        foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        if (isGood) return null;
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, s) => all | s.Status);
        var what = status.HasFlag(X509ChainStatusFlags.NotValidForUsage)
            ? $"it is not for the use of a {(use == Oids.Server ? "server" : "client")}"
            : (status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0
                ? "it is of no authority that is known here"
                : chain.ChainStatus.Select(s => s.StatusInformation.Trim()).FirstOrDefault() ?? "it is not believed";
        return $"its certificate ({Name(certificate)}): {what}";
    }

    [SuppressMessage(
        "Security", "CA5359", Justification = "Secured.Objection says it, which is looked at before anything else.")]
    private async Task<Secured> SecureAsync(
        Stream stream, Oid use, Func<SslStream, RemoteCertificateValidationCallback, Task> handshake)
    {
        X509Certificate2? shown = null;
        var objection = "it shows no certificate";
        var secure = new SslStream(stream);
        try
        {
            await handshake(secure, Check).ConfigureAwait(false);
            return new Secured(secure, shown, objection);
        }
        catch (Exception e)
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            // A connection that breaks says nothing about TLS.
            if (e is OperationCanceledException or IOException { InnerException: SocketException }) throw;
            var cause = e;
            while (cause.InnerException is { } inner) cause = inner;
            throw new IOException(
                $"TLS cannot be spoken with it: {ForeignText.Clean(cause.Message.TrimEnd('.'), 200)}");
        }

        bool Check(object _, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (certificate is null) return true;
            objection = "its certificate cannot be read";
            try
            {
                shown = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
                objection = WhyNot(shown, chain?.ChainPolicy.ExtraStore, use);
            }
            catch (CryptographicException)
            {
                // Whatever it has in it.
            }

            return true;
        }
    }

    /// <summary>How a certificate is called in messages; others chose the text.</summary>
    internal static string Name(X509Certificate2 certificate)
    {
        const int most = 64;
        return ForeignText.Clean(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false), most);
    }

    private static string? NotNow(X509Certificate2 certificate)
    {
        var now = DateTime.UtcNow;
        return now > certificate.NotAfter.ToUniversalTime()
            ? $"it has expired on {certificate.NotAfter.ToUniversalTime():u}"
            : now < certificate.NotBefore.ToUniversalTime()
                ? $"it is good from {certificate.NotBefore.ToUniversalTime():u} on only"
            : null;
    }

    private static X509Certificate2Collection Certificates(TextFile file, CredentialsFile kind)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(file.Text);
        }
        catch (CryptographicException e)
        {
            throw new BadCredentialsException(
                kind, file.Path, $"a certificate in PEM is wanted ({e.Message.TrimEnd('.')})", e);
        }

        return found.Count > 0 ? found
            : throw new BadCredentialsException(kind, file.Path, "a certificate in PEM is wanted");
    }

    private static X509Certificate2 WithKey(TextFile certificate, TextFile key)
    {
        if (key.Text.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new BadCredentialsException(
                CredentialsFile.Key, key.Path, "a private key without a password is wanted");
        try
        {
            return X509Certificate2.CreateFromPem(certificate.Text, key.Text);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new BadCredentialsException(
                CredentialsFile.Key, key.Path,
                $"the private key, in PEM, of the certificate in {certificate.Path} is wanted", e);
        }
    }

    private static class Oids
    {
        internal static readonly Oid Server = new("1.3.6.1.5.5.7.3.1"), Client = new("1.3.6.1.5.5.7.3.2");
    }

    /// <summary>A file and what is in it.</summary>
    internal sealed record TextFile(string Path, string Text);

    /// <summary>What the files have. Equal if nothing has changed.</summary>
    internal sealed record Texts(TextFile Authority, TextFile? Certificate, TextFile? Key)
    {
        /// <exception cref="BadCredentialsException">One of them cannot be read, or is missing.</exception>
        internal static Texts Read(string authority, string? certificate, string? key)
        {
            if (string.IsNullOrEmpty(certificate) != string.IsNullOrEmpty(key))
            {
                var missing = string.IsNullOrEmpty(key) ? CredentialsFile.Key : CredentialsFile.Certificate;
                throw new BadCredentialsException(missing, "", "a certificate and its key are wanted, or neither");
            }

            var trusted = Read(authority, CredentialsFile.Authority);
            return string.IsNullOrEmpty(certificate)
                ? new Texts(trusted, null, null)
                : new Texts(trusted, Read(certificate, CredentialsFile.Certificate), Read(key!, CredentialsFile.Key));
        }

        [SuppressMessage("Design", "CA1031", Justification = "A path that is none may end in any exception.")]
        private static TextFile Read(string path, CredentialsFile kind)
        {
            try
            {
                using var file = new FileStream(
                    path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                if (file.Length > MostBytes) throw new IOException("it is too large");
                using var reader = new StreamReader(file);
                return new TextFile(path, reader.ReadToEnd());
            }
            catch (Exception e)
            {
                throw new BadCredentialsException(kind, path, $"a file in PEM is wanted ({e.Message.TrimEnd('.')})", e);
            }
        }
    }
}

/// <summary>A connection in TLS, and who is at its other end.</summary>
/// <param name="Stream">What is said over it.</param>
/// <param name="Certificate">What the other side shows; null if nothing.</param>
/// <param name="Objection">Why that is not believed; null if it is.</param>
internal sealed record Secured(SslStream Stream, X509Certificate2? Certificate, string? Objection);
