using System.CommandLine;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.Commands;

/// <summary><c>get KEY [--stale|--available] [--with-uid] [--hex]</c></summary>
internal static class GetCommand
{
    public static Command Create(CommandContext context)
    {
        Words words = null!;
        var stale = Arguments.Stale();
        var available = new Option<bool>("--available")
        {
            Description =
                "Take what a node has that reaches no peer, if it runs with recoverkv.on-partition = available.",
        };
        var withUid = new Option<bool>("--with-uid")
        {
            Description = "Print a line with the uid of the version first (what `cas --uid` wants).",
        };
        var command = context.NewCommand("get", "Print the value of a key.", async (parsed, client, cancellation) =>
        {
            var consistency = parsed.GetValue(stale) ? ReadConsistency.Stale
                : parsed.GetValue(available) ? ReadConsistency.Available
                : ReadConsistency.Linearizable;
            var found = await client.GetAsync(words.KeyOf(parsed), consistency, cancellation);
            if (found.Version is not { } version)
            {
                context.Terminal.Error.WriteLine($"recoverkv: absent: {words.Name(parsed)}");
                return ExitCode.Negative;
            }

            if (parsed.GetValue(withUid)) context.Terminal.Out.WriteLine($"uid {version.Uid}");
            VersionOutput.WriteValue(context.Terminal, version.Value.Span, words.IsHex(parsed));
            return ExitCode.Done;
        });
        words = Words.Key(command);
        command.Add(stale);
        command.Add(available);
        command.Add(withUid);
        return command;
    }
}
