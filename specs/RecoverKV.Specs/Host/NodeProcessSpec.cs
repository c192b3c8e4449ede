using System.Diagnostics;
using System.Threading.Channels;
using RecoverKV.Host.LocalCluster;

namespace RecoverKV.Specs.Host;

/// <summary>The supervision of a child, with a shell in a node's place.</summary>
public sealed class NodeProcessSpec : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recoverkv-child").FullName;
    private readonly Channel<string> _notices = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(30));

    public void Dispose()
    {
        _patience.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_killed_child_is_started_again_and_leaves_when_its_input_ends()
    {
        using var stop = new CancellationTokenSource();
        var child = Child("echo up; cat > /dev/null; echo left; exit 0");
        var run = child.RunAsync(stop.Token);
        Assert.StartsWith("child started, pid ", await NoticeAsync(), StringComparison.Ordinal);
        var first = child.Pid;
        Process.GetProcessById(first).Kill();
        Assert.StartsWith(
            "child was killed by signal 9, starting it again", await NoticeAsync(), StringComparison.Ordinal);
        Assert.StartsWith("child started again, pid ", await NoticeAsync(), StringComparison.Ordinal);
        Assert.NotEqual(first, child.Pid);
        await stop.CancelAsync();
        await run.WaitAsync(_patience.Token);
        Assert.Equal(0, child.Pid);
        Assert.Equal("left", (await File.ReadAllLinesAsync(LogFile))[^1]);
    }

    [Fact]
    public async Task A_child_that_is_given_a_pause_comes_back_after_it_and_the_next_time_at_once()
    {
        using var stop = new CancellationTokenSource();
        var child = Child("sleep 0.6; exit 0");
        child.PauseOnce(TimeSpan.FromSeconds(0.7));
        var run = child.RunAsync(stop.Token);
        await NoticeAsync();
        Assert.Equal("child has left, starting it again in 0.7 s", await NoticeAsync());
        await NoticeAsync();
        Assert.Equal("child has left, starting it again", await NoticeAsync());
        await stop.CancelAsync();
        await run.WaitAsync(_patience.Token);
    }

    [Fact]
    public async Task The_last_error_of_a_child_that_fails_is_shown()
    {
        using var stop = new CancellationTokenSource();
        var child = Child("echo one >&2; echo the journal is damaged >&2; exit 3");
        var run = child.RunAsync(stop.Token);
        await NoticeAsync();
        Assert.Equal(
            "child ended with exit code 3 (the journal is damaged), starting it again", await NoticeAsync());
        await NoticeAsync();
        Assert.Equal(
            "child ended with exit code 3 (the journal is damaged), starting it again in 0.5 s", await NoticeAsync());
        Assert.Equal("the journal is damaged", child.LastError);
        await stop.CancelAsync();
        await run.WaitAsync(_patience.Token);
    }

    [Fact]
    public async Task A_child_whose_log_cannot_be_written_is_started_again_and_the_log_is_told_of_once()
    {
        File.CreateSymbolicLink(LogFile, "/dev/full");
        using var stop = new CancellationTokenSource();
        var child = Child("echo one; echo two; cat > /dev/null; exit 0");
        var run = child.RunAsync(stop.Token);
        // What the child says at once may come before the word of its start.
        string[] notices = [await NoticeAsync(), await NoticeAsync()];
        Assert.Single(notices, n => n.StartsWith("child started", StringComparison.Ordinal));
        Assert.Single(
            notices, n => n.StartsWith("child: its log cannot be written: No space left", StringComparison.Ordinal));
        for (var i = 0; i < 2; i++)
        {
            Process.GetProcessById(child.Pid).Kill();
            Assert.StartsWith("child was killed by signal 9", await NoticeAsync(), StringComparison.Ordinal);
            Assert.StartsWith("child started again", await NoticeAsync(), StringComparison.Ordinal);
        }

        await stop.CancelAsync();
        await run.WaitAsync(_patience.Token);
    }

    [Fact]
    public async Task A_log_that_can_be_written_again_is()
    {
        var log = new NodeLog(Path.Combine(_folder, "later", "node.log"), "child", Notice);
        log.Open();
        log.Write("lost");
        Assert.StartsWith("child: its log cannot be written", await NoticeAsync(), StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(_folder, "later"));
        string? again;
        while (!_notices.Reader.TryRead(out again))
        {
            _patience.Token.ThrowIfCancellationRequested();
            log.Write("kept");
        }

        log.Close();
        log.Write("late");
        Assert.StartsWith("child: its log is written again, without ", again, StringComparison.Ordinal);
        Assert.Equal("kept\n", await File.ReadAllTextAsync(Path.Combine(_folder, "later", "node.log")));
    }

    [Fact]
    public async Task A_child_that_never_comes_into_service_is_tried_again_and_again_but_not_told_each_time()
    {
        using var stop = new CancellationTokenSource();
        var child = Child("echo x >> runs; echo 'Out of memory.' >&2; echo '   at a.place' >&2; exit 134");
        var run = child.RunAsync(stop.Token);
        for (var i = 0; i < 5; i++) await NoticeAsync();
        Assert.StartsWith(
            "child has ended 3 times in a row before it was in service, "
            + "and was killed by signal 6 (Out of memory.) at last",
            await NoticeAsync(), StringComparison.Ordinal);
        var runs = Path.Combine(_folder, "runs");
        while (File.ReadAllLines(runs).Length < 5) await Task.Delay(50, _patience.Token);
        Assert.False(_notices.Reader.TryRead(out var more), more);
        await stop.CancelAsync();
        await run.WaitAsync(_patience.Token);
    }

    [Fact]
    public async Task A_child_that_does_not_leave_can_be_killed()
    {
        using var stop = new CancellationTokenSource();
        var child = Child("while true; do sleep 0.05; done");
        var run = child.RunAsync(stop.Token);
        await NoticeAsync();
        await stop.CancelAsync();
        child.Kill();
        await run.WaitAsync(_patience.Token);
        Assert.Equal("child is killed", await NoticeAsync());
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_an_error_and_not_the_end()
    {
        using var stop = new CancellationTokenSource();
        var child = new NodeProcess("child", LogFile, () => new ProcessStartInfo("/no/such/program"), Notice);
        var run = child.RunAsync(stop.Token);
        Assert.Contains("/no/such/program", await NoticeAsync(), StringComparison.Ordinal);
        await stop.CancelAsync();
        await run.WaitAsync(_patience.Token);
    }

    private string LogFile => Path.Combine(_folder, "node.log");

    private NodeProcess Child(string script) => new("child", LogFile, () => new ProcessStartInfo("/bin/sh")
    {
        ArgumentList = { "-c", script },
        WorkingDirectory = _folder,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    }, Notice);

    private void Notice(string text) => _notices.Writer.TryWrite(text);

    private ValueTask<string> NoticeAsync() => _notices.Reader.ReadAsync(_patience.Token);
}
