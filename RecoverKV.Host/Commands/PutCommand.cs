using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary><c>put KEY VALUE</c></summary>
internal static class PutCommand
{
    public static Command Create(CommandContext context)
    {
        var key = Arguments.Key();
        var value = Arguments.Value();
        var command = context.NewCommand("put", "Store a value; says its uid and the old value.",
            async (parsed, client, cancellation) =>
            {
                var result = await client.PutAsync(
                    parsed.GetRequiredValue(key), parsed.GetRequiredValue(value), returnPrevious: true, cancellation);
                VersionOutput.WriteWritten(context.Terminal, result);
                return ExitCode.Done;
            });
        command.Add(key);
        command.Add(value);
        return command;
    }
}
