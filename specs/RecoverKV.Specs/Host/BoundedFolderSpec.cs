using System.Globalization;
using RecoverKV.Client;

namespace RecoverKV.Specs.Host;

/// <summary>R10: a data folder grows with the data, and not with the number of writes.</summary>
public sealed class BoundedFolderSpec : IDisposable
{
    private const long MiB = 1024 * 1024;
    private const int Rounds = 1500;
    private const int Keys = 400;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// The state is some 100 KB here. Of the journal there are the writes since the last checkpoint was begun (1 MiB,
    /// and what came while it was made), 256 KiB for peers twice (log-memory, log.keep), as much again before the file
    /// gets shorter, and SQLite's own log.
    /// </summary>
    private const long Bound = 24 * MiB;

    [Fact]
    public async Task Six_hundred_thousand_overwrites_leave_a_small_folder()
    {
        await using var up = await RunningUp.StartWithSettingsAsync(
            _folder.Path, "checkpoint.bytes=1MiB", "log.keep=256KiB", "log-memory=256KiB", "durability=os");
        await using var client = await RecoverKvClient.ConnectAsync(up.Contact.Split(','));
        var value = new byte[200];
        long written = 0;
        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, Keys).Select(i =>
                client.PutAsync(i.ToString(CultureInfo.InvariantCulture), value)));
            written += Keys * value.Length;
        }

        Assert.True(written > 4 * Bound);
        // What is forgotten is given back in small steps.
        while (Folders().Max(Size) > Bound) await Task.Delay(100, up.Patience);
    }

    private IEnumerable<string> Folders() => Enumerable.Range(1, 3).Select(i => _folder.File($"node{i}"));

    private static long Size(string folder) =>
        new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(f => f.Name != "reserve").Sum(f => f.Exists ? f.Length : 0);
}
