using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary><c>delete KEY</c></summary>
internal static class DeleteCommand
{
    public static Command Create(CommandContext context)
    {
        var key = Arguments.Key();
        var command = context.NewCommand("delete", "Remove a key; says the write's uid and the old value.",
            async (parsed, client, cancellation) =>
            {
                var name = parsed.GetRequiredValue(key);
                var result = await client.DeleteAsync(name, returnPrevious: true, cancellation);
                if (!result.PreviousOmitted && result.Previous is not [{ }, ..])
                {
                    context.Terminal.Error.WriteLine($"recoverkv: absent: {Failures.OneLine(name)}");
                    return ExitCode.Negative;
                }

                VersionOutput.WriteWritten(context.Terminal, result);
                return ExitCode.Done;
            });
        command.Add(key);
        return command;
    }
}
