using BenchmarkDotNet.Running;

namespace RecoverKV.Benchmarks;

/// <summary>The small parts of the data path, one by one. Whole clusters are measured by <c>recoverkv bench</c>.</summary>
internal static class Program
{
    private static void Main(string[] args) => BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
}
