using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;

namespace RecoverKV.Benchmarks;

/// <summary>The small parts of the data path, one by one. Whole clusters are measured by <c>recoverkv
/// bench</c>.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        // The program that BenchmarkDotNet makes takes longer to build than its two minutes where a machine is busy.
        var config = ManualConfig.Create(DefaultConfig.Instance).WithBuildTimeout(TimeSpan.FromMinutes(15));
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
        return summaries.Any(s => s.HasCriticalValidationErrors || s.Reports.Any(r => !r.Success)) ? 1 : 0;
    }
}
