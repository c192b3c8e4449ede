using RecoverKV.Chaos;
using Xunit.Abstractions;

namespace RecoverKV.MultiNode.Specs;

/// <summary>A short run of chaos on real processes; long ones are made with the program of RecoverKV.Chaos.</summary>
public sealed class ChaosSpec(ITestOutputHelper output)
{
    [Fact]
    public async Task What_clients_see_through_all_kinds_of_faults_is_linearizable_and_nothing_is_lost()
    {
        using var log = new StringWriter();
        var result = await new ChaosRun(
            new ChaosOptions { Nodes = 3, Time = TimeSpan.FromSeconds(45), Clients = 2 }, TextWriter.Synchronized(log))
            .RunAsync(CancellationToken.None);
        output.WriteLine(log.ToString());
        Assert.Empty(result.Violations);
        Assert.NotEmpty(result.Faults);
        Assert.Contains(result.History, h => h.Uid != 0);
        Assert.Contains(result.History, h => h.Uid == 0);
        Assert.NotEqual(0, result.Compared);
    }
}
