namespace RecoverKV.Host.Shell;

/// <summary>Runs the lines of a shell. Its exit code is that of the last line that was not done, else 0.</summary>
/// <param name="terminal">Where errors go.</param>
/// <param name="run">Runs one command, given as words, and returns its exit code.</param>
internal sealed class Interpreter(Terminal terminal, Func<IReadOnlyList<string>, Task<int>> run)
{
    /// <summary>The exit code up to now.</summary>
    public int ExitCode { get; private set; }

    /// <summary>Says why a line is not run.</summary>
    public void Refuse(string why)
    {
        terminal.Error.WriteLine($"recoverkv: {why}");
        ExitCode = Host.ExitCode.Usage;
    }

    /// <summary>Runs one line; false if it ends the shell.</summary>
    public async Task<bool> RunAsync(string line)
    {
        IReadOnlyList<string> words;
        try
        {
            words = WordSplitter.Split(line);
        }
        catch (UsageException e)
        {
            Refuse(e.Message);
            return true;
        }

        if (words is []) return true;
        if (words is ["exit" or "quit"]) return false;
        var code = await run(words is ["help"] ? ["--help"] : words);
        if (code != Host.ExitCode.Done) ExitCode = code;
        return true;
    }
}
