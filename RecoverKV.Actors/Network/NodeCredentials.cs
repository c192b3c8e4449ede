using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using RecoverKV.Actors.Configuration;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>A node's credentials, read again when their files change: connections that are made from then on have the
/// new ones. Files that do not fit each other (yet) are not taken. Thread-safe.</summary>
internal sealed class NodeCredentials
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14), Again = TimeSpan.FromDays(1);
    private readonly TlsSettings _settings;
    private readonly string _node;
    private volatile Credentials _current;
    private Credentials.Texts _texts;
    private string? _failure;
    private int _failures;
    private DateTime _warnAt;

    /// <summary>Reads them.</summary>
    /// <param name="settings">Where they are.</param>
    /// <param name="node">Whose they are.</param>
    /// <exception cref="InvalidSettingsException">A file is not what it should be.</exception>
    internal NodeCredentials(TlsSettings settings, string node)
    {
        (_settings, _node, _texts) = (settings, node, settings.Texts());
        _current = settings.Parse(node, _texts);
    }

    /// <summary>Whether clients must show a certificate.</summary>
    internal bool ClientsNeedCertificates => _settings.ClientsNeedCertificates;

    /// <summary>Those of now.</summary>
    internal Credentials Current => _current;

    /// <summary>Reads them again and again, once for each of these.</summary>
    /// <param name="notice">Told, in one line each, that new files were taken, or cannot be and why; and that the
    /// certificate ends soon.</param>
    /// <param name="ends">Whether that is over.</param>
    internal async Task WatchAsync(Action<string> notice, Func<bool> ends)
    {
        while (!ends())
        {
            Refresh(notice);
            await Task.Delay(Interval).ConfigureAwait(false);
        }
    }

    /// <summary>Why the other side is not this node; null if it is.</summary>
    internal static string? Objection(Secured connection, string to) => connection.Objection
        ?? (NodeCertificate.WhyNot(to, connection.Certificate!) is { } why
            ? $"its certificate ({Credentials.Name(connection.Certificate!)}): {why}"
            : null);

    /// <summary>Why the other side may be no client; null if it may.</summary>
    internal string? ClientObjection(Secured connection) => connection.Certificate is not null ? connection.Objection
        : ClientsNeedCertificates
            ? "clients must show a certificate here (recoverkv.tls.client-certificates; --cert and --key)"
        : null;

    private void Refresh(Action<string> notice)
    {
        try
        {
            var texts = _settings.Texts();
            if (texts != _texts)
            {
                _current = _settings.Parse(_node, texts);
                (_texts, _warnAt) = (texts, default);
                notice($"new certificates were read (recoverkv.tls): {Ends(_current.Certificate!)}");
            }

            _failure = null;
        }
        catch (InvalidSettingsException e)
        {
            // Files are exchanged one by one: what does not fit each other for a moment is not worth a line.
            if (e.Message != _failure) (_failure, _failures) = (e.Message, 0);
            if (++_failures == 2) notice($"new certificates are not taken, those of before stay: {e.Message}");
        }

        WarnOfEnd(notice);
    }

    private void WarnOfEnd(Action<string> notice)
    {
        var now = DateTime.UtcNow;
        if (_current.Certificate!.NotAfter.ToUniversalTime() - now > Soon || now < _warnAt) return;
        _warnAt = now + Again;
        notice("the certificate of this node must be exchanged soon (recoverkv.tls.certificate): "
            + $"{Ends(_current.Certificate)}");
    }

    private static string Ends(X509Certificate2 certificate) => string.Create(
        CultureInfo.InvariantCulture, $"it is good until {certificate.NotAfter.ToUniversalTime():u}");
}
