using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary><c>delete KEY [--hex]</c></summary>
internal static class DeleteCommand
{
    public static Command Create(CommandContext context)
    {
        Words words = null!;
        var command = context.NewCommand("delete", "Remove a key; says the write's uid and the old value.",
            async (parsed, client, cancellation) =>
            {
                var result = await client.DeleteAsync(words.KeyOf(parsed), returnPrevious: true, cancellation);
                if (!result.PreviousOmitted && result.Previous is not [{ }, ..])
                {
                    context.Terminal.Error.WriteLine($"recoverkv: absent: {words.Name(parsed)}");
                    return ExitCode.Negative;
                }

                VersionOutput.WriteWritten(context.Terminal, result, words.IsHex(parsed));
                return ExitCode.Done;
            });
        words = Words.Key(command);
        return command;
    }
}
