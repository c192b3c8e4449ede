using System.CommandLine;
using RecoverKV.Host.Shell;

namespace RecoverKV.Host.Commands;

/// <summary><c>shell</c></summary>
internal static class ShellCommand
{
    public static Command Create(CommandContext context) => context.NewCommand("shell",
        "An interactive prompt with the client commands; reads lines from the standard input if that is no terminal.",
        async (_, client, _) =>
        {
            var terminal = context.Terminal;
            var root = Cli.NewRoot("The commands of the shell. Words with spaces stand in quotes, 'literally' or "
                + "\"with \\n \\t \\\" \\\\\"; exit leaves.");
            foreach (var command in ClientCommands.All(new CommandContext(terminal, client))) root.Add(command);
            var interpreter = new Interpreter(terminal, async words =>
            {
                using var interrupt = new InterruptSource();
                return await Cli.InvokeAsync(root, words, terminal, interrupt.Token);
            });
            if (terminal.InputIsTerminal && terminal.OutputIsTerminal) await PromptAsync(terminal, interpreter);
            else await ReadAsync(terminal, interpreter);
            return interpreter.ExitCode;
        });

    private static async Task PromptAsync(Terminal terminal, Interpreter interpreter)
    {
        terminal.Out.WriteLine("help lists the commands, exit leaves");
        var history = new History(History.DefaultFile, text => terminal.Error.WriteLine($"recoverkv: {text}"));
        var editor = new LineEditor(terminal, "recoverkv> ", history);
        while (editor.Read() is { } line)
        {
            history.Add(line.Trim());
            if (!await interpreter.RunAsync(line)) return;
        }
    }

    private static async Task ReadAsync(Terminal terminal, Interpreter interpreter)
    {
        using var reader = new StreamReader(terminal.Input, leaveOpen: true);
        while (await reader.ReadLineAsync() is { } line)
        {
            if (!await interpreter.RunAsync(line)) return;
        }
    }
}
