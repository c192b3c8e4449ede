using System.CommandLine;
using RecoverKV.Client;
using RecoverKV.Client.Network;

namespace RecoverKV.Host.Commands;

/// <summary><c>--cacert FILE --cert FILE --key FILE</c>, or the variables of the environment that stand for
/// them.</summary>
internal sealed class TlsArguments
{
    private readonly Option<string> _authority = File("--cacert", "RECOVERKV_CACERT",
        "Speak TLS: the certificates of the authorities that sign those of nodes, in PEM.");

    private readonly Option<string> _certificate = File(
        "--cert", "RECOVERKV_CERT", "The certificate of this client, in PEM.");

    private readonly Option<string> _key = File("--key", "RECOVERKV_KEY", "Its private key, in PEM.");

    public TlsArguments(Command command)
    {
        command.Add(_authority);
        command.Add(_certificate);
        command.Add(_key);
    }

    /// <summary>What they say; null: no TLS.</summary>
    /// <exception cref="UsageException">A file is missing, or not what it should be.</exception>
    public TlsOptions? Read(ParseResult parsed)
    {
        var (authority, certificate, key) =
            (Value(parsed, _authority), Value(parsed, _certificate), Value(parsed, _key));
        if (authority is null)
        {
            return certificate is null && key is null ? null
                : throw new UsageException(
                    "--cert and --key go with --cacert: the authority that signs the nodes' certificates");
        }

        try
        {
            Credentials.Load(authority, certificate, key);
            return new TlsOptions { Authority = authority, Certificate = certificate, Key = key };
        }
        catch (BadCredentialsException e)
        {
            var option = e.File switch
            {
                CredentialsFile.Authority => _authority,
                CredentialsFile.Certificate => _certificate,
                _ => _key,
            };
            throw new UsageException(
                $"{option.Name} {(e.Path.Length == 0 ? "is missing" : $"\"{e.Path}\"")}: {e.Message}");
        }
    }

    private static string? Value(ParseResult parsed, Option<string> option) =>
        parsed.GetValue(option)
        ?? (Environment.GetEnvironmentVariable(Variable(option)) is { Length: > 0 } text ? text : null);

    private static string Variable(Option<string> option) =>
        $"RECOVERKV_{option.Name.TrimStart('-').ToUpperInvariant()}";

    private static Option<string> File(string name, string variable, string description) =>
        Arguments.NeverEmpty(
            new Option<string>(name) { Description = $"{description} Default: ${variable}.", HelpName = "FILE" });
}
