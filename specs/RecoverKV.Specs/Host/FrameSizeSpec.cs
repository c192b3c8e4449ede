namespace RecoverKV.Specs.Host;

/// <summary>Nodes with other frames than the default, and clients that know it from them only.</summary>
public sealed class FrameSizeSpec : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("recoverkv-frame").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task With_a_small_frame_many_large_values_at_once_are_stored_read_and_dumped()
    {
        await using var up = await RunningUp.StartWithSettingsAsync(
            _data, "frame-size=64KiB", "limits.value=23KiB", "batch.bytes=32KiB", "fetch.bytes=32KiB");
        var value = new string('v', 23 * 1024);
        var lines = string.Concat(Enumerable.Range(0, 60).Select(i => $"k{i}\t{value}\n"));

        Assert.Equal((0, "loaded 60, bad 0\n", ""), await up.RunAsync(["load", "-"], lines));
        // Once more: now the answers carry what was replaced.
        Assert.Equal((0, "loaded 60, bad 0\n", ""), await up.RunAsync(["load", "-"], lines));
        Assert.Equal((0, value + "\n", ""), await up.RunAsync(["get", "k7"]));
        var (code, dump, _) = await up.RunAsync(["dump"]);
        Assert.Equal((0, 60), (code, dump.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        Assert.Equal(2, (await up.RunAsync(["put", "k", value + "v"])).Code);
    }

    [Fact]
    public async Task With_a_large_frame_values_beyond_the_default_are_stored_replaced_and_read()
    {
        await using var up = await RunningUp.StartWithSettingsAsync(_data, "frame-size=16MiB", "limits.value=6MiB");
        var value = new string('v', 6 * 1024 * 1024);
        for (var i = 0; i < 2; i++)
            Assert.Equal((0, "loaded 1, bad 0\n", ""), await up.RunAsync(["load", "-"], $"large\t{value}\n"));

        Assert.Equal((0, value + "\n", ""), await up.RunAsync(["get", "large"]));
        var (code, _, error) = await up.RunAsync(["load", "-"], $"large\t{value}v\n");
        Assert.Equal(
            (2, $"line 1: The value has {value.Length + 1} bytes; at most {value.Length} are allowed.\n"),
            (code, error));
    }
}
