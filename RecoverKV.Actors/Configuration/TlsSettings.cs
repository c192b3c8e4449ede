using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Configuration;

/// <summary>TLS of a node's connections, with its peers and its clients: <c>recoverkv.tls</c> in
/// hocon/reference.conf.</summary>
public sealed record TlsSettings
{
    private const string Path = "recoverkv.tls";

    /// <summary>Whether connections are encrypted.</summary>
    public required bool On { get; init; }

    /// <summary>The file with the node's certificate, and those between it and the authority.</summary>
    public required string Certificate { get; init; }

    /// <summary>The file with its private key.</summary>
    public required string Key { get; init; }

    /// <summary>The file with the certificates of those who sign certificates of nodes and clients.</summary>
    public required string Authority { get; init; }

    /// <summary>Whether clients must show a certificate.</summary>
    public required bool ClientsNeedCertificates { get; init; }

    /// <param name="read">The settings.</param>
    /// <param name="node">The id of the node.</param>
    /// <param name="listensAt">The host that it listens at.</param>
    /// <exception cref="InvalidSettingsException">One of the settings makes no sense, or a file is not what it should
    /// be.
    /// </exception>
    internal static TlsSettings Read(SettingsReader read, string node, string listensAt)
    {
        var isGiven = IsGiven(read);
        var settings = new TlsSettings
        {
            On = isGiven && read.Choice("tls.mode", SettingsReader.OnOff),
            Certificate = FullPath(read.Text("tls.certificate")),
            Key = FullPath(read.Text("tls.key")),
            Authority = FullPath(read.Text("tls.authority")),
            ClientsNeedCertificates = read.Choice("tls.client-certificates", new Dictionary<string, bool>
            {
                ["required"] = true,
                ["optional"] = false,
            }),
        };
        if (!isGiven && !Hosts.IsLoopback(listensAt))
            throw InvalidSettingsException.Of(
                $"{Path}.mode", "",
                $"this node listens on {listensAt}, beyond this machine, where others can read and change what is "
                + "on the wire: on is wanted, or off to do without TLS");
        if (settings.On) settings.Load(node);
        return settings;
    }

    /// <summary>Whether it was decided if there is TLS: it need not be where nobody but this machine can
    /// listen.</summary>
    internal static bool IsGiven(SettingsReader read) => read.Text("tls.mode").Length > 0;

    /// <summary>Reads the files.</summary>
    /// <param name="node">The id that the certificate must have.</param>
    /// <exception cref="InvalidSettingsException">One is not what it should be.</exception>
    internal Credentials Load(string node) => Parse(node, Texts());

    /// <exception cref="InvalidSettingsException">One cannot be read.</exception>
    internal Credentials.Texts Texts()
    {
        if (Certificate.Length == 0)
            throw InvalidSettingsException.Of(
                $"{Path}.certificate", "", "the file with the node's certificate is wanted");
        try
        {
            return Credentials.Texts.Read(Authority, Certificate, Key);
        }
        catch (BadCredentialsException e)
        {
            throw Of(e);
        }
    }

    /// <exception cref="InvalidSettingsException">One is not what it should be.</exception>
    internal Credentials Parse(string node, Credentials.Texts texts)
    {
        try
        {
            var credentials = Credentials.Parse(texts);
            return (NodeCertificate.WhyNot(node, credentials.Certificate!)
                ?? credentials.WhyNotOwn(asServer: true)) is { } why
                ? throw InvalidSettingsException.Of($"{Path}.certificate", SettingsReader.Quote(Certificate), why)
                : credentials;
        }
        catch (BadCredentialsException e)
        {
            throw Of(e);
        }
    }

    private static InvalidSettingsException Of(BadCredentialsException e)
    {
        var key = e.File switch
        {
            CredentialsFile.Authority => "authority",
            CredentialsFile.Certificate => "certificate",
            _ => "key",
        };
        return InvalidSettingsException.Of($"{Path}.{key}", SettingsReader.Quote(e.Path), e.Message);
    }

    private static string FullPath(string path) => path.Length == 0 ? path : System.IO.Path.GetFullPath(path);
}
