using System.CommandLine;
using System.Globalization;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;
using RecoverKV.Client;
using RecoverKV.Host.Loading;

namespace RecoverKV.Host.Commands;

/// <summary><c>backup FILE [--node NODE]</c>, <c>verify FILE</c> and <c>restore FILE DIR [--nodes NAMES]</c></summary>
internal static class BackupCommands
{
    private const string LocalNodes = "node1,node2,node3";
    private const string Partial = ".partial";

    public static Command CreateBackup(CommandContext context)
    {
        var file = FileArgument("The file to write; it appears when it is whole.");
        var node = new Option<string?>("--node")
        {
            Description =
                "The node whose checkpoint it is to be; an in-sync one that does not lead, if it is left out.",
            HelpName = "NODE",
        };
        var command = context.NewCommand(
            "backup", "Write all keys, as they are at one point, into a file, while the store runs.",
            async (parsed, client, cancellation) =>
            {
                var name = Path.GetFullPath(parsed.GetRequiredValue(file));
                if (File.Exists(name) || Directory.Exists(name))
                    throw new UsageException($"{name} exists: a backup overwrites nothing");
                // Another one may be under way to the same place.
                var partial = string.Create(CultureInfo.InvariantCulture, $"{name}.{Environment.ProcessId}{Partial}");
                try
                {
                    RemoveAbandoned(name);
                    var info = await TakeAsync(context.Terminal, client, parsed.GetValue(node), partial, cancellation);
                    File.Move(partial, name, overwrite: false);
                    DurableFiles.FlushFolder(Path.GetDirectoryName(name)!);
                    context.Terminal.Out.WriteLine($"{name}: {Describe(info)}, {new FileInfo(name).Length} bytes");
                    return ExitCode.Done;
                }
                catch (Exception e) when (e is BadBackupException or IOException or UnauthorizedAccessException
                    or SqliteException or FormatException)
                {
                    throw new CommandFailedException($"the backup was not made: {e.Message}");
                }
                finally
                {
                    StoreFile.Delete(partial);
                }
            },
            timeout: 30);
        command.Add(file);
        command.Add(node);
        return command;
    }

    public static Command CreateVerify(Terminal terminal)
    {
        var file = FileArgument("The backup.");
        var command = new Command(
            "verify", "Read all of a backup, and say what it has; code 3 if it is not whole.") { file };
        command.SetAction(parsed => Run(() =>
        {
            var name = parsed.GetRequiredValue(file);
            terminal.Out.WriteLine($"{name}: {Describe(Backup.Verify(name))}");
        }));
        return command;
    }

    public static Command CreateRestore(Terminal terminal)
    {
        var file = FileArgument("The backup.");
        var folder = Arguments.NeverEmpty(new Argument<string>("DIR")
        {
            Description = "Gets a data folder for each node, of its name: for `up --data DIR`, "
                + "or to be copied to the machines of the nodes.",
        });
        var nodes = NodesOption();
        var command = new Command(
            "restore", "Make the data folders of a new store of a backup. It has an id of its own.")
        {
            file, folder, nodes
        };
        command.SetAction(parsed => Run(() =>
        {
            var names = NodesOf(parsed, nodes);
            var target = Path.GetFullPath(parsed.GetRequiredValue(folder));
            var (info, cluster) = Backup.Restore(parsed.GetRequiredValue(file), target, names);
            terminal.Out.WriteLine($"{target}: {Describe(info)}");
            terminal.Out.WriteLine($"restored as a new store, {cluster:D}, of {string.Join(", ", names)}");
        }));
        return command;
    }

    /// <summary>The nodes of a new store.</summary>
    public static Option<string> NodesOption() => new("--nodes")
    {
        Description = "The ids of all nodes of the new store, with commas, as recoverkv.members will have them.",
        HelpName = "NAMES",
        DefaultValueFactory = _ => LocalNodes,
    };

    /// <summary>What the option says.</summary>
    /// <exception cref="UsageException">They are no nodes.</exception>
    public static string[] NodesOf(ParseResult parsed, Option<string> option)
    {
        var names = parsed.GetRequiredValue(option).Split(',');
        if (names.FirstOrDefault(n => !Actors.Configuration.Member.IsNodeId(n)) is { } bad)
            throw new UsageException(
                $"--nodes: \"{bad}\" is no id of a node: letters, digits, - and _ are wanted, at most 32");
        if (names.Length > 9 || names.Distinct().Count() < names.Length)
            throw new UsageException("--nodes: 1 to 9 nodes are wanted, each once");
        return names;
    }

    // What is left of backups to this place that were killed: nobody has it open.
    private static void RemoveAbandoned(string name)
    {
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(name)!, $"{Path.GetFileName(name)}.*{Partial}*"))
        {
            var at = file.LastIndexOf(Partial, StringComparison.Ordinal);
            var partial = file[..(at + Partial.Length)];
            if (int.TryParse(partial[(name.Length + 1)..at], CultureInfo.InvariantCulture, out _)
                && !StoreFile.IsInUse(partial))
                StoreFile.Delete(partial);
        }
    }

    private static Argument<string> FileArgument(string description) =>
        Arguments.NeverEmpty(new Argument<string>("FILE") { Description = description });

    /// <summary>Runs what fails with one line.</summary>
    public static void Run(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is BadBackupException or IOException or UnauthorizedAccessException
            or SqliteException)
        {
            throw new CommandFailedException(e.Message);
        }
    }

    /// <summary>A backup in one line.</summary>
    public static string Describe(BackupInfo info) => string.Create(
        CultureInfo.InvariantCulture,
        $"{info.Totals.Keys} keys of store {info.Cluster:D} at uid {info.At}, "
        + $"revision {info.Totals.Revision}, digest {info.Totals.Digest:x16}");

    private static async Task<BackupInfo> TakeAsync(
        Terminal terminal, RecoverKvClient client, string? node, string path, CancellationToken cancellation)
    {
        using var file = StoreFile.Open(path);
        long keys = 0;
        return await LoadProgress.ShowAsync(terminal, null, () => keys, () => keys, async () =>
        {
            await foreach (var (part, chunk) in StateParts.ReadAsync(client, node, cancellation))
            {
                file.Take(new Uid(part.At), chunk.Part);
                keys += chunk.Part.Keys.Count;
                if (chunk.Next is null)
                    return Backup.Finish(
                        file, new BackupInfo(part.Cluster, new Uid(part.At), chunk.Totals, part.FrameSize));
            }

            throw new BadBackupException("the last part did not come");
        });
    }
}
