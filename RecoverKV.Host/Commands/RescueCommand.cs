using System.CommandLine;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Host.Commands;

/// <summary><c>rescue OUT DIR... [--nodes NAMES]</c></summary>
internal static class RescueCommand
{
    public static Command Create(Terminal terminal)
    {
        var target = Arguments.NeverEmpty(new Argument<string>("OUT")
        {
            Description = "Gets a data folder for each node of the new store, of its name: for `up --data OUT`, or "
                + "for the machines of the nodes.",
        });
        var folders = new Argument<string[]>("DIR")
        {
            Description = "A data folder that no node uses, or one that was set aside (damaged-DATE, retired-N): all "
                + "that are left. Nothing in them is changed.",
            Arity = ArgumentArity.OneOrMore,
        };
        var nodes = BackupCommands.NodesOption();
        var command = new Command(
            "rescue",
            "Where no majority of the nodes is left: make a new store of the best folder, and say what may be missing.")
        {
            target, folders, nodes,
        };
        command.SetAction(parsed => BackupCommands.Run(() =>
        {
            var names = BackupCommands.NodesOf(parsed, nodes);
            string[] paths = [.. parsed.GetRequiredValue(folders).Select(Folder)];
            if (paths.Distinct().Count() < paths.Length) throw new UsageException("DIR: each folder is wanted once");
            var (made, lines) = (Folder(parsed.GetRequiredValue(target)), terminal.Out);
            if (paths.FirstOrDefault(p => IsWithin(made, p)) is { } within)
                throw new UsageException($"OUT: {made} is within {within}, in which nothing is to be changed");
            var rescued = Rescue.Run(made, paths, names, lines.WriteLine);
            lines.WriteLine($"{made}: {BackupCommands.Describe(rescued.Backup)}");
            lines.WriteLine(
                $"rescued from {rescued.From} as a new store, {rescued.Cluster:D}, of {string.Join(", ", names)}");
        }));
        return command;
    }

    private static string Folder(string name) => name.Length == 0
        ? throw new UsageException("DIR: the empty text names nothing")
        : Path.TrimEndingDirectorySeparator(Path.GetFullPath(name));

    private static bool IsWithin(string path, string folder) =>
        path == folder || path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
