using System.CommandLine;
using System.Globalization;
using RecoverKV.Client;
using RecoverKV.Host.Commands;

namespace RecoverKV.Host.Bench;

/// <summary>What every benchmark is told.</summary>
internal sealed record BenchSettings
{
    /// <summary>The nodes of a given cluster; null: the benchmark starts one.</summary>
    public required IReadOnlyList<string>? Contact { get; init; }

    /// <summary>The time of a call.</summary>
    public required double TimeoutSeconds { get; init; }

    /// <summary>How a given cluster is reached; null: without TLS.</summary>
    public required TlsOptions? Tls { get; init; }

    /// <summary>Whether the nodes of its own have TLS.</summary>
    public required bool WithTls { get; init; }

    /// <summary>The folder in which a temporary one is made.</summary>
    public required string Data { get; init; }

    /// <summary>Settings of the nodes, as KEY=VALUE.</summary>
    public required IReadOnlyList<string> NodeSettings { get; init; }

    /// <summary>How nodes store; null: as they are configured.</summary>
    public required string? Durability { get; init; }

    /// <summary>How long to warm up.</summary>
    public required double WarmUpSeconds { get; init; }

    /// <summary>Where the report goes as JSON; null: nowhere.</summary>
    public required string? Json { get; init; }

    /// <summary>Where the report goes as HTML; null: nowhere.</summary>
    public required string? Html { get; init; }

    /// <summary>How the program was called.</summary>
    public required string CommandLine { get; init; }
}

/// <summary>The options that all benchmarks take.</summary>
internal sealed class BenchOptions
{
    private readonly Option<string> _contact = CommandContext.NewContactOption(
        "Nodes of a cluster that runs. Default: $RECOVERKV_CONTACT, else the benchmark starts three nodes of its own.");

    private readonly Option<double> _timeout = Arguments.Seconds(
        "--timeout", 10, "Each call to the store ends within this time, with an answer or an error.");

    private readonly Option<string> _durability = new("--durability")
    {
        Description = "How the nodes of its own store: full or os. Default: full, as the nodes have.",
        HelpName = "full|os",
    };

    private readonly Option<string> _data = Arguments.NeverEmpty(new Option<string>("--data")
    {
        Description = "Where the nodes of its own have their data, in a folder that is deleted at the end. "
            + "Default: the system's folder for temporary files.",
        HelpName = "DIR",
    });

    private readonly Option<string[]> _settings = SettingsOption.Create();

    private readonly Option<double> _warmUp = Arguments.Real(
        "--warmup", 10, 0, 3600, "SECONDS", "How long to do the same operations on other keys first, not counted.");

    private readonly Option<string> _json = Arguments.NeverEmpty(new Option<string>("--json")
    {
        Description = "Write the report as JSON; - is the standard output, in place of the table.",
        HelpName = "FILE|-",
    });

    private readonly Option<string> _html = Arguments.NeverEmpty(new Option<string>("--html")
    {
        Description = "Write the report as one page with charts.",
        HelpName = "FILE",
    });

    private readonly Option<bool> _withTls = new("--tls")
    {
        Description = "The connections of the nodes of its own are encrypted.",
    };

    private readonly TlsArguments _tls;
    private readonly bool _warmsUp;

    /// <summary>Adds them to a command.</summary>
    public BenchOptions(Command command, bool warmsUp = true)
    {
        _warmsUp = warmsUp;
        _durability.AcceptOnlyFromAmong("full", "os");
        command.Add(_contact);
        command.Add(_timeout);
        if (warmsUp) command.Add(_warmUp);
        command.Add(_durability);
        command.Add(_data);
        command.Add(_withTls);
        command.Add(_settings);
        command.Add(_json);
        command.Add(_html);
        _tls = new TlsArguments(command);
    }

    /// <summary>Reads them.</summary>
    /// <param name="parsed">The call.</param>
    /// <param name="own">Set if the benchmark only works with nodes of its own: what needs them.</param>
    /// <exception cref="UsageException">They contradict each other, or a file cannot be written.</exception>
    public BenchSettings Read(ParseResult parsed, string? own = null)
    {
        var contact = CommandContext.GivenContact(parsed, _contact);
        var settings = parsed.GetValue(_settings) ?? [];
        var durability = parsed.GetValue(_durability);
        if (contact is not null && own is not null)
            throw new UsageException(
                $"{own} kills nodes: only with a cluster that the benchmark starts itself, "
                + "so without --contact and RECOVERKV_CONTACT");
        if (contact is not null
            && (durability is not null || parsed.GetValue(_data) is not null
                || settings.Length > 0 || parsed.GetValue(_withTls)))
            throw new UsageException(
                "--durability, --data, --tls and --set are for a cluster that the benchmark starts itself");
        if (durability is not null) settings = [.. settings, $"recoverkv.durability={durability}"];
        var (json, html) = (parsed.GetValue(_json), parsed.GetValue(_html));
        if (json is not null and not "-") CheckWritable("--json", json);
        if (html is not null) CheckWritable("--html", html);
        return new BenchSettings
        {
            Contact = contact,
            TimeoutSeconds = parsed.GetValue(_timeout),
            Tls = contact is null ? null : _tls.Read(parsed),
            WithTls = parsed.GetValue(_withTls),
            Data = parsed.GetValue(_data) ?? Path.GetTempPath(),
            NodeSettings = settings,
            Durability = durability,
            WarmUpSeconds = _warmsUp ? parsed.GetValue(_warmUp) : 0,
            Json = json,
            Html = html,
            CommandLine = CommandLineOf(parsed),
        };
    }

    /// <summary>A count of operations; its keys must fit the memory.</summary>
    public static Option<int> Count(string name, int defaultValue, string description, int min = 1) =>
        Arguments.Number(name, defaultValue, min, 10_000_000, description);

    /// <summary>How many callers.</summary>
    public static Option<int> Callers(string description) =>
        Arguments.Number("--callers", 256, 1, 100_000, description);

    /// <summary>Bytes of a value.</summary>
    public static Option<int> ValueSize() =>
        Arguments.Number("--value-size", 100, Loads.ValueForm.Shortest, 1024 * 1024, "Bytes of a value.");

    /// <summary>Bytes of a key.</summary>
    public static Option<int> KeySize() =>
        Arguments.Number("--key-size", 16, Loads.KeySpace.ShortestKey, 128, "Bytes of a key.");

    private static string CommandLineOf(ParseResult parsed)
    {
        var words = parsed.Tokens
            .Select(t => t.Value.Contains(' ', StringComparison.Ordinal) ? $"'{t.Value}'" : t.Value);
        return string.Create(CultureInfo.InvariantCulture, $"recoverkv {string.Join(' ', words)}");
    }

    // A run of minutes must not end with nowhere to write what it found.
    private static void CheckWritable(string option, string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"{option}: {e.Message}");
        }
    }
}
