using System.CommandLine;
using System.Text;
using System.Text.Unicode;
using RecoverKV.Host.Records;
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
        // Besides those of the commands: after a signal no further line is read.
        using var interrupt = new InterruptSource();
        // As bytes first: of what is no UTF-8, two different keys would become one.
        using var reader = new StreamReader(
            terminal.Input, Encoding.Latin1, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        for (var first = true; await reader.ReadLineAsync(interrupt.Token) is { } line; first = false)
        {
            interrupt.Token.ThrowIfCancellationRequested();
            var bytes = Encoding.Latin1.GetBytes(line).AsSpan();
            if (first && bytes.StartsWith(RecordReader.ByteOrderMark))
                bytes = bytes[RecordReader.ByteOrderMark.Length..];
            if (!Utf8.IsValid(bytes))
                interpreter.Refuse("the line is no UTF-8: other bytes are given in hexadecimal with --hex");
            else if (!await interpreter.RunAsync(Encoding.UTF8.GetString(bytes))) return;
        }
    }
}
