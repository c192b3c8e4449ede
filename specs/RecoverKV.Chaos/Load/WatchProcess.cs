using System.Text.Json;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Client;

namespace RecoverKV.Chaos.Load;

/// <summary>What the watching process does: prints the nodes' states, a line of JSON each time, until its standard
/// input ends.</summary>
internal static class WatchProcess
{
    public static async Task<int> RunAsync(string[] contacts)
    {
        await using var client = await RecoverKvClient.ConnectAsync(contacts, new RecoverKvClientOptions
        {
            ConnectTimeout = TimeSpan.FromSeconds(60),
            Tls = ChaosTls.Inherited,
        });
        var ended = Task.Run(Console.In.ReadLine); // its asynchronous form blocks
        while (!ended.IsCompleted)
        {
            var began = MonotonicClock.Now;
            var status = await client.GetStatusAsync();
            Console.WriteLine(JsonSerializer.Serialize(new Sample(began, [.. status.Nodes.Select(n => new NodeSample(
                n.Node, n.Mode, n.Epoch, n.IsSequencer, n.ProcessId, n.AppliedUid, n.Digest,
                n.Reason))])));
            await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(100)));
        }

        return 0;
    }
}
