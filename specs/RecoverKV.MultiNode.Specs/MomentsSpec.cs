using RecoverKV.Chaos.Moments;
using Xunit.Abstractions;

namespace RecoverKV.MultiNode.Specs;

/// <summary>A few rounds on real processes; long runs are made with the program of RecoverKV.Chaos.</summary>
public sealed class MomentsSpec(ITestOutputHelper output)
{
    [Fact]
    public async Task Nothing_is_lost_nor_left_behind_whenever_a_checkpoint_a_transfer_or_a_backup_is_killed()
    {
        using var log = new StringWriter();
        var result = await new MomentsRun(
            new MomentsOptions
            {
                Time = TimeSpan.FromSeconds(8),
                Keys = 1000,
                Kinds = [MomentKind.CheckpointKilled, MomentKind.TakerKilled, MomentKind.BackupKilled],
            },
            TextWriter.Synchronized(log)).RunAsync(CancellationToken.None);
        output.WriteLine(log.ToString());
        Assert.Null(result.Violation);
        Assert.NotEmpty(result.Rounds);
        Assert.NotEqual(0, result.Read);
    }
}
