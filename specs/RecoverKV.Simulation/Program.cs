namespace RecoverKV.Simulation;

/// <summary>Runs simulations and says what they found; <c>--help</c> lists the options.</summary>
internal static class Program
{
    private static int Main(string[] arguments) => new CommandLine(Console.Out, Console.Error).Run(arguments);
}
