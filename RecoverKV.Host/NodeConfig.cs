using System.Text.Json;
using Akka.Configuration;
using RecoverKV.Actors.Configuration;

namespace RecoverKV.Host;

/// <summary>Reads a node's settings from its file and the command line.</summary>
internal static class NodeConfig
{
    /// <summary>The file, with settings of the form KEY=VALUE above it.</summary>
    /// <exception cref="UsageException">A setting has another form.</exception>
    /// <exception cref="InvalidSettingsException">The file cannot be read, or something is wrong in them, and
    /// what.</exception>
    public static NodeSettings Load(string file, IReadOnlyList<string> settings)
    {
        var text = HoconFile.Read(file);
        try
        {
            return Of(text, settings);
        }
        catch (InvalidSettingsException e)
        {
            throw new InvalidSettingsException($"{file}: {e.Message}", e);
        }
    }

    /// <summary>The text of a file, with settings of the form KEY=VALUE above it.</summary>
    /// <exception cref="UsageException">A setting has another form.</exception>
    /// <exception cref="InvalidSettingsException">Something is wrong in them, and what.</exception>
    public static NodeSettings Of(string text, IReadOnlyList<string> settings)
    {
        var config = NodeSettings.Parse(text);
        foreach (var setting in settings) config = ParseSetting(setting).WithFallback(config);
        return NodeSettings.Load(config);
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
        try
        {
            return NodeSettings.Parse($"{key} = {value}");
        }
        catch (InvalidSettingsException e)
        {
            throw new UsageException($"--set {key}: {e.Message}");
        }
    }
}
