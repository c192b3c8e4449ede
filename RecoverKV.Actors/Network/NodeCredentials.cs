using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using RecoverKV.Actors.Configuration;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>A node's credentials, read again when their files change: connections that are made from then on have the new
/// ones. Files that do not fit each other (yet) are not taken. Thread-safe.</summary>
/// <param name="settings">Where they are.</param>
/// <param name="node">Whose they are.</param>
internal sealed class NodeCredentials(TlsSettings settings, string node)
{
    private const long Interval = 2_000;
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14), Again = TimeSpan.FromDays(1);
    private readonly Lock _gate = new();
    private Credentials.Texts _texts = settings.Texts();
    private Credentials? _current;
    private string? _failure;
    private int _failures;
    private long _readAt = Environment.TickCount64;
    private DateTime _warnAt;

    /// <summary>Whether clients must show a certificate.</summary>
    internal bool ClientsNeedCertificates => settings.ClientsNeedCertificates;

    /// <summary>Those of now.</summary>
    internal Credentials Current
    {
        get
        {
            lock (_gate)
            {
                _current ??= settings.Parse(node, _texts);
                if (Environment.TickCount64 - _readAt >= Interval) Refresh();
                return _current;
            }
        }
    }

    /// <summary>Told, in one line each, that new files were taken, or cannot be and why; and that the certificate ends soon.
    /// </summary>
    internal Action<string> Notice { get; set; } = static _ => { };

    /// <summary>Why the other side is not this node; null if it is.</summary>
    internal static string? Objection(Secured connection, string to) => connection.Objection
        ?? (NodeCertificate.WhyNot(to, connection.Certificate!) is { } why
            ? $"its certificate ({Credentials.Name(connection.Certificate!)}): {why}"
            : null);

    /// <summary>Why the other side may be no client; null if it may.</summary>
    internal string? ClientObjection(Secured connection) => connection.Certificate is not null ? connection.Objection
        : ClientsNeedCertificates ? "clients must show a certificate here (recoverkv.tls.client-certificates; --cert and --key)"
        : null;

    private void Refresh()
    {
        _readAt = Environment.TickCount64;
        try
        {
            var texts = settings.Texts();
            if (texts != _texts)
            {
                _current = settings.Parse(node, texts);
                (_texts, _warnAt) = (texts, default);
                Notice($"new certificates were read (recoverkv.tls): {Ends(_current.Certificate!)}");
            }

            _failure = null;
        }
        catch (InvalidSettingsException e)
        {
            // Files are exchanged one by one: what does not fit each other for a moment is not worth a line.
            if (e.Message != _failure) (_failure, _failures) = (e.Message, 0);
            if (++_failures == 2) Notice($"new certificates are not taken, those of before stay: {e.Message}");
        }

        WarnOfEnd();
    }

    private void WarnOfEnd()
    {
        var now = DateTime.UtcNow;
        if (_current!.Certificate!.NotAfter.ToUniversalTime() - now > Soon || now < _warnAt) return;
        _warnAt = now + Again;
        Notice($"the certificate of this node must be exchanged soon (recoverkv.tls.certificate): {Ends(_current.Certificate)}");
    }

    private static string Ends(X509Certificate2 certificate) => string.Create(
        CultureInfo.InvariantCulture, $"it is good until {certificate.NotAfter.ToUniversalTime():u}");
}
