using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary><c>cas KEY VALUE|-|--file FILE --uid N|--absent [--hex]</c></summary>
internal static class CasCommand
{
    public static Command Create(CommandContext context)
    {
        Words words = null!;
        var uid = Arguments.Uid("--uid", "Only if this is the uid of the key's version now.");
        var absent = new Option<bool>("--absent") { Description = "Only if the key is absent." };
        var command = context.NewCommand("cas", "Compare and set: store a value if the key has not changed.",
            async (parsed, client, cancellation) =>
            {
                var expected = parsed.GetValue(absent) ? 0 : parsed.GetValue(uid);
                var value = words.ValueOf(parsed, context.FreeInput);
                var result = await client.CompareAndSetAsync(
                    words.KeyOf(parsed), value, expected, returnPrevious: true, cancellation);
                if (result.Applied)
                {
                    context.Terminal.Out.WriteLine($"uid {result.Uid}");
                    return ExitCode.Done;
                }

                var now = result.PreviousOmitted ? "has another uid"
                    : result.Previous is [{ } version, ..] ? $"has uid {version.Uid}" : "is absent";
                context.Terminal.Error.WriteLine($"recoverkv: condition failed: the key {now}");
                return ExitCode.Negative;
            });
        words = Words.KeyAndValue(command);
        command.Add(uid);
        command.Add(absent);
        command.Validators.Add(result =>
        {
            if (result.GetResult(uid) is null == result.GetResult(absent) is null)
                result.AddError("cas: either --uid N or --absent is wanted");
        });
        return command;
    }
}
