namespace RecoverKV.Fuzz;

/// <summary>Fuzzes every decoder and says what it found; <c>--help</c> lists the options.</summary>
internal static class Program
{
    private static int Main(string[] arguments) => new CommandLine(Console.Out, Console.Error).Run(arguments);
}
