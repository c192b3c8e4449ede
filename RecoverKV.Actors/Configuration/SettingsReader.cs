using System.Globalization;
using Akka.Configuration;
using Akka.Configuration.Hocon;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Configuration;

/// <summary>Reads the values of <c>recoverkv</c> strictly: Akka's own getters take almost anything.</summary>
internal sealed class SettingsReader
{
    private const string Root = "recoverkv";

    /// <summary>The choices of a switch.</summary>
    public static readonly IReadOnlyDictionary<string, bool> OnOff =
        new Dictionary<string, bool> { ["on"] = true, ["off"] = false };

    private readonly Config _config;

    /// <param name="config">What the user wrote.</param>
    /// <param name="reference">Every key with its default.</param>
    public SettingsReader(Config config, Config reference)
    {
        if (!config.HasPath(Root))
            throw new InvalidSettingsException(
                $"{Root} is missing: a node needs at least node, members and data in it.");
        RefuseUnknown(config.GetValue(Root), reference.GetValue(Root), Root);
        _config = config.WithFallback(reference);
    }

    public string Text(string path)
    {
        var value = Value(path);
        if (!value.IsString() || IsList(value))
            throw InvalidSettingsException.Of(Full(path), Show(value), "a single value is wanted");
        var text = value.GetString()?.Trim() ?? "";
        return !text.Contains('\0') ? text
            : throw InvalidSettingsException.Of(Full(path), "a text with a NUL", "a text without is wanted");
    }

    public string RequiredText(string path, string right)
    {
        var text = Text(path);
        return text.Length > 0 ? text : throw InvalidSettingsException.Of(Full(path), text, right);
    }

    public IReadOnlyList<string> List(string path, string right)
    {
        var value = Value(path);
        return IsList(value) ? [.. value.GetArray().Select(v => v.GetString()?.Trim() ?? "")]
            : throw InvalidSettingsException.Of(Full(path), Show(value), right);
    }

    /// <summary>A list of "id@host:port".</summary>
    /// <param name="path">Its key.</param>
    /// <param name="right">What is wanted, if it is no list.</param>
    /// <param name="entry">What is wanted of an entry.</param>
    public IEnumerable<Member> Members(string path, string right, string entry) => List(path, right).Select(text =>
        Member.Parse(text) ?? throw InvalidSettingsException.Of(
            Full(path), $"a list with {(text.Length == 0 ? "an empty entry" : Quote(text))}", entry));

    /// <summary>A host name or address; empty only where <paramref name="orEmpty"/>.</summary>
    public string Host(string path, bool orEmpty = false)
    {
        var host = Text(path);
        return orEmpty && host.Length == 0 ? host
            : Hosts.Normalize(host, bare: true)
            ?? throw InvalidSettingsException.Of(Full(path), Quote(host), "a host name or an IP address is wanted");
    }

    public T Choice<T>(string path, IReadOnlyDictionary<string, T> choices)
    {
        var text = Text(path);
        return choices.TryGetValue(text, out var choice) ? choice
            : throw InvalidSettingsException.Of(
                Full(path), Quote(text), $"one of {string.Join(", ", choices.Keys)} is wanted");
    }

    public int Int(string path, int least, int most)
    {
        var text = Text(path);
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most
            ? number
            : throw InvalidSettingsException.Of(Full(path), Quote(text), $"a number from {least} to {most} is wanted");
    }

    public long Size(string path, long least, long most)
    {
        var text = Text(path);
        return ParseUnits(text, SizeUnits) is { } size && size >= least && size <= most
            ? (long)size
            : throw InvalidSettingsException.Of(
                Full(path), Quote(text), $"a size from {ShowSize(least)} to {ShowSize(most)} is wanted, such as 64KiB");
    }

    public TimeSpan Duration(string path)
    {
        var text = Text(path);
        return ParseUnits(text, DurationUnits) is { } milliseconds && milliseconds is >= 1 and <= 3_600_000
            ? TimeSpan.FromMilliseconds((double)milliseconds)
            : throw InvalidSettingsException.Of(
                Full(path), Quote(text), "a duration from 1ms to 1h is wanted, such as 200ms or 2s");
    }

    public static string Full(string path) => $"{Root}.{path}";

    public static string Quote(string text) => text.Length == 0 ? "" : $"\"{text}\"";

    public static string ShowSize(long bytes) => bytes switch
    {
        >= 1024 * 1024 when bytes % (1024 * 1024) == 0 => $"{bytes / (1024 * 1024)}MiB",
        >= 1024 when bytes % 1024 == 0 => $"{bytes / 1024}KiB",
        _ => $"{bytes}B",
    };

    public static string ShowDuration(TimeSpan duration) =>
        string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds}ms");

    private static readonly Dictionary<string, decimal> SizeUnits = new(StringComparer.OrdinalIgnoreCase)
    {
        ["B"] = 1,
        ["KiB"] = 1024,
        ["MiB"] = 1024 * 1024,
        ["GiB"] = 1024 * 1024 * 1024,
    };

    private static readonly Dictionary<string, decimal> DurationUnits = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ms"] = 1,
        ["s"] = 1000,
        ["m"] = 60_000,
        ["h"] = 3_600_000,
    };

    /// <summary>A number and one of the units, which must be there: a bare number would be a guess.</summary>
    private static decimal? ParseUnits(string text, Dictionary<string, decimal> units)
    {
        var digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.')) digits++;
        return digits is > 0 and <= 15
            && decimal.TryParse(
                text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && units.TryGetValue(text[digits..].Trim(), out var factor)
            ? number * factor
            : null;
    }

    private HoconValue Value(string path) =>
        _config.GetValue(Full(path)) ?? throw InvalidSettingsException.Of(Full(path), "missing", "a value is wanted");

    private static string Show(HoconValue value) =>
        value.IsObject() ? "a block" : IsList(value) ? "a list" : Quote(value.GetString() ?? "");

    /// <summary>Akka says that an empty list is none, and counts the space behind a list as a part of the
    /// value.</summary>
    private static bool IsList(HoconValue value) =>
        value.Values.Any(p => p.IsArray())
        && value.Values.All(p => p.IsArray() || p.IsString() && string.IsNullOrWhiteSpace(p.GetString()));

    private static void RefuseUnknown(HoconValue given, HoconValue known, string path)
    {
        if (!given.IsObject())
            throw InvalidSettingsException.Of(path, Quote(given.GetString() ?? ""), "a block { } is wanted");
        var knownItems = known.GetObject().Items;
        foreach (var (key, value) in given.GetObject().Items)
        {
            var full = $"{path}.{key}";
            if (!knownItems.TryGetValue(key, out var counterpart))
                throw new InvalidSettingsException(
                    $"{full} is no setting: known there are {string.Join(", ", knownItems.Keys)}.");
            if (counterpart.IsObject()) RefuseUnknown(value, counterpart, full);
        }
    }
}
