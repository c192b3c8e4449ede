using System.Text;
using RecoverKV.Actors.Output;
using Spectre.Console;

namespace RecoverKV.Host;

/// <summary>Where a command reads and writes. Values go out as bytes, so the standard output is a stream first; the
/// writer on it flushes each write, so that both keep their order.</summary>
internal sealed class Terminal
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>On given streams, none of which is a terminal.</summary>
    public Terminal(Stream input, Stream output, TextWriter error)
    {
        Input = input;
        Output = output;
        Out = new StreamWriter(output, Utf8, leaveOpen: true) { AutoFlush = true };
        Error = error;
    }

    /// <summary>Standard input.</summary>
    public Stream Input { get; }

    /// <summary>Standard output, as bytes.</summary>
    public Stream Output { get; }

    /// <summary>Standard output, as text.</summary>
    public TextWriter Out { get; }

    /// <summary>Standard error.</summary>
    public TextWriter Error { get; }

    /// <summary>Whether a person types the input.</summary>
    public bool InputIsTerminal { get; private init; }

    /// <summary>Whether a person sees the output.</summary>
    public bool OutputIsTerminal { get; private init; }

    /// <summary>Whether a person sees the errors.</summary>
    public bool ErrorIsTerminal { get; private init; }

    /// <summary>Draws tables on the standard output.</summary>
    /// <param name="widthOfFiles">How many columns there are where no person sees it.</param>
    public IAnsiConsole TableConsole(int widthOfFiles)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = OutputIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(Out),
        });
        if (!OutputIsTerminal) console.Profile.Width = widthOfFiles;
        return console;
    }

    /// <summary>That of the process.</summary>
    public static Terminal Standard() =>
        new(
            new CancellableInput(StandardStream.WasOpen(0) ? Console.OpenStandardInput() : null),
            StandardStream.Output,
            TextWriter.Synchronized(new StreamWriter(StandardStream.Error, Utf8, leaveOpen: true) { AutoFlush = true }))
        {
            InputIsTerminal = !Console.IsInputRedirected,
            OutputIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
        };
}
