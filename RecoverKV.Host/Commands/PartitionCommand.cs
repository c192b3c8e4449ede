using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary><c>partition NODE [--reachable A,B] [--heal-only] [--off]</c></summary>
internal static class PartitionCommand
{
    public static Command Create(CommandContext context)
    {
        var node = Arguments.Node();
        var reachable = new Option<string?>("--reachable")
        {
            Description = "Node ids that it may still talk to. Default: none.",
            HelpName = "A,B",
        };
        var healOnly = new Option<bool>("--heal-only")
        {
            Description = "Limit only from whom it may heal its gaps; everything else still passes.",
        };
        var off = new Option<bool>("--off") { Description = "Restore every link of the node." };
        var command = context.NewCommand("partition",
            "Cut a node from others (for tests: it must run with recoverkv.chaos = on).",
            async (parsed, client, cancellation) =>
            {
                IReadOnlyList<string>? nodes = parsed.GetValue(off) ? null : Names(parsed.GetValue(reachable));
                await client.PartitionAsync(
                    parsed.GetRequiredValue(node), nodes, parsed.GetValue(healOnly), cancellation);
                return ExitCode.Done;
            });
        command.Add(node);
        command.Add(reachable);
        command.Add(healOnly);
        command.Add(off);
        command.Validators.Add(result =>
        {
            if (result.GetResult(off) is not null && result.GetResult(reachable) is not null)
                result.AddError("partition: --off and --reachable exclude each other");
        });
        return command;
    }

    private static string[] Names(string? text) =>
        (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
