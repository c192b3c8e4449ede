using System.Collections.Concurrent;
using RecoverKV.Actors.Output;

namespace RecoverKV.Specs.Host;

public sealed class LineQueueSpec
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Lines_are_written_in_order()
    {
        var written = new ConcurrentQueue<string>();
        var lines = new LineQueue(written.Enqueue);
        for (var i = 0; i < 500; i++) lines.Add($"{i}");
        Assert.True(lines.Flush(Patience));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"), written);
    }

    [Fact]
    public void Nobody_waits_for_an_output_that_is_not_read_and_what_is_missing_is_told()
    {
        using var read = new ManualResetEventSlim();
        using var begun = new ManualResetEventSlim();
        var written = new ConcurrentQueue<string>();
        var lines = new LineQueue(
            line =>
            {
                begun.Set();
                read.Wait();
                written.Enqueue(line);
            },
            most: 3);
        lines.Add("first");
        begun.Wait();
        for (var i = 0; i < 10; i++) lines.Add($"{i}");
        Assert.False(lines.Flush(TimeSpan.Zero));
        read.Set();
        Assert.True(lines.Flush(Patience));
        lines.Add("last");
        Assert.True(lines.Flush(Patience));
        Assert.Equal(["first", "0", "1", "2", "(7 lines are missing here: nobody read them in time)", "last"], written);
    }

    [Fact]
    public void An_output_that_fails_is_no_reason_to_end()
    {
        var written = new ConcurrentQueue<string>();
        var lines = new LineQueue(line =>
        {
            if (line == "bad") throw new IOException("full");
            written.Enqueue(line);
        });
        lines.Add("bad");
        lines.Add("good");
        Assert.True(lines.Flush(Patience));
        Assert.Equal(["good"], written);
    }
}
