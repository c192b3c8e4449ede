using System.CommandLine;
using RecoverKV.Client;
using RecoverKV.Client.Connection;

namespace RecoverKV.Host.Commands;

/// <summary>What the client commands share: where they print, and how they reach the store. The shell gives them its
/// own open client; elsewhere each opens one from the options that it was called with.</summary>
internal sealed class CommandContext
{
    private const string ContactVariable = "RECOVERKV_CONTACT";
    private const string DefaultContact = "127.0.0.1:4051,127.0.0.1:4052,127.0.0.1:4053";

    private readonly RecoverKvClient? _shared;

    /// <summary>Each command opens a client of its own.</summary>
    public CommandContext(Terminal terminal) => Terminal = terminal;

    /// <summary>All commands use <paramref name="shared"/>.</summary>
    public CommandContext(Terminal terminal, RecoverKvClient shared) : this(terminal) => _shared = shared;

    /// <summary>Where the commands print.</summary>
    public Terminal Terminal { get; }

    /// <summary>The standard input, for a command that reads it; null in the shell, which reads it itself.</summary>
    public Stream? FreeInput => _shared is null ? Terminal.Input : null;

    /// <summary>The nodes to ask first.</summary>
    public Option<string> Contact { get; } = ContactOption();

    /// <summary>A command that talks to the store.</summary>
    public Command NewCommand(
        string name, string description, Func<ParseResult, RecoverKvClient, CancellationToken, Task<int>> run,
        double timeout = 10)
    {
        var command = new Command(name, description);
        if (_shared is not null)
        {
            command.SetAction((parsed, cancellation) => run(parsed, _shared, cancellation));
            return command;
        }

        var seconds = Arguments.Seconds(
            "--timeout", timeout, "Each call to the store ends within this time, with an answer or an error.");
        command.Add(Contact);
        command.Add(seconds);
        var tls = new TlsArguments(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = await ConnectAsync(
                parsed, parsed.GetValue(seconds), tls.Read(parsed), cancellation);
            return await run(parsed, client, cancellation);
        });
        return command;
    }

    /// <summary>Reads HOST:PORT[,HOST:PORT...].</summary>
    /// <exception cref="UsageException">It is something else.</exception>
    public static IReadOnlyList<string> ParseContact(string text, string origin)
    {
        var points = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (points.Length == 0) throw new UsageException($"{origin}: HOST:PORT[,HOST:PORT...] is wanted");
        try
        {
            // What the client takes, and nothing else.
            ContactPoint.ParseAll(points);
            return points;
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"{origin}: {e.Message}");
        }
    }

    /// <summary>An option that names nodes.</summary>
    public static Option<string> NewContactOption(string description) => new("--contact", "-c")
    {
        Description = description,
        HelpName = "HOST:PORT[,HOST:PORT...]",
    };

    /// <summary>The nodes that the option, or else the environment, names; null if neither does.</summary>
    /// <exception cref="UsageException">They are no nodes.</exception>
    public static IReadOnlyList<string>? GivenContact(ParseResult parsed, Option<string> option)
    {
        if (parsed.GetResult(option) is { Implicit: false } given)
            return ParseContact(given.GetValueOrDefault<string>(), "--contact");
        return Environment.GetEnvironmentVariable(ContactVariable) is { Length: > 0 } text
            ? ParseContact(text, $"the environment variable {ContactVariable}")
            : null;
    }

    private Task<RecoverKvClient> ConnectAsync(
        ParseResult parsed, double seconds, TlsOptions? tls, CancellationToken cancellation)
    {
        var contact = GivenContact(parsed, Contact) ?? ParseContact(DefaultContact, "the default");
        var timeout = TimeSpan.FromSeconds(seconds);
        var options = new RecoverKvClientOptions { Deadline = timeout, ConnectTimeout = timeout, Tls = tls };
        return RecoverKvClient.ConnectAsync(contact, options, cancellation);
    }

    private static Option<string> ContactOption() => NewContactOption(
        "Nodes to ask first; any one that answers leads to the others. "
            + $"Default: ${ContactVariable}, else {DefaultContact}.");
}
