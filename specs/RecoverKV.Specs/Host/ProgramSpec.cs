using System.Diagnostics;
using System.Globalization;
using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

/// <summary>The program as a process, with the outputs, inputs and limits that a shell can give it.</summary>
public sealed class ProgramSpec : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("recoverkv-program").FullName;
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(120));

    public void Dispose()
    {
        _patience.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    [Theory]
    [InlineData(
        "\"$@\" --help > /dev/full", 3, "recoverkv: cannot write the standard output: No space left on device\n")]
    [InlineData("\"$@\" --help >&-", 3, "recoverkv: cannot write the standard output: it is closed\n")]
    [InlineData("\"$@\" get 2> /dev/full", 2, "")]
    [InlineData("\"$@\" get 2>&-", 2, "")]
    public async Task Output_that_cannot_be_written_is_an_error_and_no_crash(string script, int code, string error)
    {
        using var shell = Shell(script);
        Assert.Equal(
            (code, error), (await CodeAsync(shell), await shell.StandardError.ReadToEndAsync(_patience.Token)));
    }

    [Fact]
    public async Task A_pipe_without_a_reader_is_an_error()
    {
        using var shell = Shell("read begin; exec \"$@\" --help");
        shell.StandardOutput.Close();
        await shell.StandardInput.WriteLineAsync("begin");
        Assert.Equal(3, await CodeAsync(shell));
        Assert.Equal(
            "recoverkv: cannot write the standard output: Broken pipe\n",
            await shell.StandardError.ReadToEndAsync(_patience.Token));
    }

    [Fact]
    public async Task An_argument_that_is_no_text_is_refused()
    {
        using var shell = Shell("exec \"$@\" get \"$(printf '\\377')\"");
        Assert.Equal(2, await CodeAsync(shell));
        Assert.Contains("--hex", await shell.StandardError.ReadToEndAsync(_patience.Token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get k --timeout 1")]
    [InlineData("up --no-grpc --port 9 --nodes 1")]
    public async Task With_few_files_there_is_one_line(string command)
    {
        using var shell = Shell($"cd \"$DATA\"; ulimit -n 64; exec \"$@\" {command}");
        Assert.Equal(3, await CodeAsync(shell));
        var error = await shell.StandardError.ReadToEndAsync(_patience.Token);
        Assert.StartsWith("recoverkv: ", error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(c => c == '\n'));
    }

    [Fact]
    public async Task A_local_cluster_whose_output_cannot_be_written_goes_on_and_a_load_ends_when_it_is_told_to()
    {
        var port = RunningUp.FreePorts().ToString(CultureInfo.InvariantCulture);
        var contact = $"127.0.0.1:{port}";
        using var up = Shell(
            $"exec \"$@\" up --no-grpc --nodes 1 --port {port} --data \"$DATA\" > /dev/full 2> /dev/full");
        var first = await PidAsync(contact, 0);
        Process.GetProcessById(first).Kill();
        var second = await PidAsync(contact, first);

        using (var load = Shell($"exec \"$@\" load - --contact {contact}"))
        {
            await load.StandardInput.WriteAsync("loaded\tvalue\n");
            await load.StandardInput.FlushAsync(_patience.Token);
            while (await RunAsync("get", "loaded", "--contact", contact) != 0)
                _patience.Token.ThrowIfCancellationRequested();
            await SignalAsync("TERM", load.Id);
            Assert.Equal(3, await CodeAsync(load));
        }

        await SignalAsync("TERM", up.Id);
        Assert.Equal(0, await CodeAsync(up));
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(second));
    }

    /// <summary>The process of the node once it serves, and is another one than before.</summary>
    private async Task<int> PidAsync(string contact, int before)
    {
        while (true)
        {
            _patience.Token.ThrowIfCancellationRequested();
            using var terminal = new TestTerminal();
            if (await Cli.RunAsync(["status", "--json", "--timeout", "2", "--contact", contact], terminal.Terminal)
                != 0) continue;
            using var json = System.Text.Json.JsonDocument.Parse(terminal.Output);
            var node = json.RootElement.GetProperty("nodes")[0];
            var pid = node.GetProperty("pid").GetInt32();
            if (pid != 0 && pid != before && node.GetProperty("mode").GetString() == "ALIVE") return pid;
        }
    }

    private static async Task<int> RunAsync(params string[] args)
    {
        using var terminal = new TestTerminal();
        return await Cli.RunAsync(args, terminal.Terminal);
    }

    private async Task SignalAsync(string signal, int pid)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{pid}"]);
        await kill.WaitForExitAsync(_patience.Token);
    }

    private async Task<int> CodeAsync(Process process)
    {
        await process.WaitForExitAsync(_patience.Token);
        return process.ExitCode;
    }

    /// <summary>A shell whose "$@" is the program.</summary>
    private Process Shell(string script)
    {
        var program = ThisProgram.Start([]);
        var start = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", script, "sh", program.FileName },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in program.ArgumentList) start.ArgumentList.Add(argument);
        start.Environment["DATA"] = _data;
        return Process.Start(start)!;
    }
}
