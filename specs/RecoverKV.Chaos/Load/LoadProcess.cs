using RecoverKV.Chaos.Cluster;
using RecoverKV.Chaos.History;
using RecoverKV.Client;

namespace RecoverKV.Chaos.Load;

/// <summary>What a client process does: workers over one client, until its standard input ends.</summary>
internal static class LoadProcess
{
    /// <summary>The two halves of the workers: those that write, and those that only read.</summary>
    public static async Task<int> RunAsync(
        string[] contacts, string historyFile, int firstWorker, int workers, TimeSpan think, int seed)
    {
        await using var client = await RecoverKvClient.ConnectAsync(contacts, new RecoverKvClientOptions
        {
            ConnectTimeout = TimeSpan.FromSeconds(60),
            Tls = ChaosTls.Inherited,
        });
        using var history = new HistoryFile.Writer(historyFile);
        using var end = new CancellationTokenSource();
        Console.WriteLine("ready");
        var running = Task.WhenAll(Enumerable.Range(0, workers).Select(i =>
            new Worker(firstWorker + i, readsOnly: i % 2 == 1, client, history, think, seed + i).RunAsync(end.Token)));
        await Task.Run(Console.In.ReadLine); // its asynchronous form blocks
        await end.CancelAsync();
        await running;
        history.End();
        return 0;
    }
}
