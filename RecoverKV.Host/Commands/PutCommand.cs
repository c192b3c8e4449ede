using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary><c>put KEY VALUE|-|--file FILE [--hex]</c></summary>
internal static class PutCommand
{
    public static Command Create(CommandContext context)
    {
        Words words = null!;
        var command = context.NewCommand("put", "Store a value; says its uid and the old value.",
            async (parsed, client, cancellation) =>
            {
                var value = words.ValueOf(parsed, context.FreeInput);
                var result = await client.PutAsync(words.KeyOf(parsed), value, returnPrevious: true, cancellation);
                VersionOutput.WriteWritten(context.Terminal, result, words.IsHex(parsed));
                return ExitCode.Done;
            });
        words = Words.KeyAndValue(command);
        return command;
    }
}
