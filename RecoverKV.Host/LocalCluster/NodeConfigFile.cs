using System.Globalization;
using System.Text;
using System.Text.Json;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Storage;
using RecoverKV.Host.Certificates;

namespace RecoverKV.Host.LocalCluster;

/// <summary>The configuration that <c>recoverkv up</c> writes for each of its nodes: the local-node*.conf of the
/// hocon folder, filled in. The first line marks the folder as one that <c>up</c> made and may delete.</summary>
internal static class NodeConfigFile
{
    /// <summary>The file's name, within the data folder of its node.</summary>
    public const string Name = "node.conf";

    /// <summary>The first line of the file.</summary>
    public const string Mark = "# Written by `recoverkv up` at every start of the node: changes here do not last.";

    /// <summary>The text for one node.</summary>
    public static string Text(LocalNode node, IReadOnlyList<LocalNode> all, LocalClusterOptions options)
    {
        var text = new StringBuilder();
        text.Append(Mark).Append('\n');
        text.Append("recoverkv {\n");
        text.Append("  node = ").Append(Quote(node.Id)).Append('\n');
        text.Append("  members = [\n");
        foreach (var member in all)
            text.Append("    ").Append(Quote($"{member.Id}@{member.Address}")).Append(member == all[^1] ? "\n" : ",\n");
        text.Append("  ]\n");
        text.Append("  data = ").Append(Quote(node.Folder)).Append('\n');
        text.Append("  chaos = ").Append(options.Chaos ? "on" : "off").Append('\n');
        if (options.ChaosSecret.Length > 0)
            text.Append("  chaos-secret = ").Append(Quote(options.ChaosSecret)).Append('\n');
        text.Append("  secret = ").Append(Quote(options.Secret)).Append('\n');
        AppendTls(text, node, options.Certificates);
        // They share the machine.
        text.Append("  quota {\n");
        text.Append(CultureInfo.InvariantCulture, $"    memory = {QuotaSettings.AutoMemory(all.Count)}B\n");
        text.Append("  }\n");
        text.Append("  bind {\n");
        text.Append("    host = ").Append(Quote(LocalClusterOptions.Host)).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"    port = {node.Port}\n");
        text.Append("  }\n");
        text.Append("}\n");
        return text.ToString();
    }

    private static void AppendTls(StringBuilder text, LocalNode node, CertificateFolder? certificates)
    {
        text.Append("  tls {\n");
        text.Append("    mode = ").Append(certificates is null ? "off" : "on").Append('\n');
        if (certificates is not null)
        {
            text.Append("    certificate = ").Append(Quote(certificates.Certificate(node.Id))).Append('\n');
            text.Append("    key = ").Append(Quote(certificates.Key(node.Id))).Append('\n');
            text.Append("    authority = ").Append(Quote(certificates.Authority)).Append('\n');
        }

        text.Append("  }\n");
    }

    /// <summary>Writes the file, and its folder if that is gone. Nobody else may read it: it has secrets.</summary>
    public static void Write(LocalNode node, IReadOnlyList<LocalNode> all, LocalClusterOptions options)
    {
        Directory.CreateDirectory(node.Folder);
        // A file that is there keeps its mode.
        File.Delete(node.ConfigFile);
        using var file = PrivateFile.Open(node.ConfigFile, FileMode.CreateNew);
        file.Write(Text(node, all, options));
    }

    /// <summary>Whether a folder was made by <see cref="Write"/>.</summary>
    public static bool Marks(string folder)
    {
        var file = Path.Combine(folder, Name);
        return File.Exists(file) && File.ReadLines(file).FirstOrDefault() == Mark;
    }

    /// <summary>A HOCON string; its escapes are those of JSON.</summary>
    private static string Quote(string text) => JsonSerializer.Serialize(text, JsonOptions);

    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
