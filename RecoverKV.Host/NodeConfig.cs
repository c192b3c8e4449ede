using System.Text.Json;
using Akka.Configuration;

namespace RecoverKV.Host;

/// <summary>Reads a node's configuration from its file and the command line.</summary>
internal static class NodeConfig
{
    /// <summary>The file, with settings of the form KEY=VALUE above it.</summary>
    /// <exception cref="UsageException">Something is wrong with them, and what.</exception>
    public static Config Load(string file, IReadOnlyList<string> settings)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"cannot read the configuration: {e.Message}");
        }

        var config = Parse(text, file);
        if (!config.HasPath("recoverkv")) throw new UsageException($"{file} has no section recoverkv {{ ... }}");
        foreach (var setting in settings) config = ParseSetting(setting).WithFallback(config);
        return config;
    }

    /// <summary>Reads KEY=VALUE. A value that does not look like a list, an object or a quoted string is taken as
    /// it stands.</summary>
    /// <exception cref="UsageException">It is something else.</exception>
    public static Config ParseSetting(string setting)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);
        var key = equals < 1 ? "" : setting[..equals].Trim();
        if (key.Length == 0 || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw new UsageException($"--set: \"{setting}\" is not KEY=VALUE");
        var value = setting[(equals + 1)..].Trim();
        if (value is not ['[' or '{' or '"', ..]) value = JsonSerializer.Serialize(value);
        return Parse($"{key} = {value}", "--set");
    }

    private static Config Parse(string text, string origin)
    {
        if (HoconBrackets.Check(text) is { } error) throw new UsageException($"{origin} is not valid HOCON: {error}");
        try
        {
            return ConfigurationFactory.ParseString(text);
        }
        catch (Exception e)
        {
            // The parser throws exceptions of several kinds, bare ones among them.
            throw new UsageException($"{origin} is not valid HOCON: {Failures.OneLine(e.Message)}");
        }
    }
}
