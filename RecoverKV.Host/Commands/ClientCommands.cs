using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary>The commands that talk to the store; the shell has the same ones.</summary>
internal static class ClientCommands
{
    /// <summary>All of them.</summary>
    public static IEnumerable<Command> All(CommandContext context) =>
    [
        PutCommand.Create(context),
        GetCommand.Create(context),
        DeleteCommand.Create(context),
        CasCommand.Create(context),
        ScanCommand.Create(context),
        StatusCommand.Create(context),
        LoadCommand.Create(context),
        DumpCommand.Create(context),
        CheckpointCommand.Create(context),
        BackupCommands.CreateBackup(context),
        StopCommand.Create(context),
        PartitionCommand.Create(context),
    ];
}
