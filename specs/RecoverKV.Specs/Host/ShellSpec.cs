using RecoverKV.Host;
using RecoverKV.Host.Shell;

namespace RecoverKV.Specs.Host;

public sealed class ShellSpec
{
    [Theory]
    [InlineData("put a b", "put|a|b")]
    [InlineData("  put\ta   b \r", "put|a|b")]
    [InlineData("put \"two words\" 'and \"these\"'", "put|two words|and \"these\"")]
    [InlineData("put a\"b c\"d''", "put|ab cd")]
    [InlineData("put k \"\" ''", "put|k||")]
    [InlineData("put C:\\temp\\new x", "put|C:\\temp\\new|x")]
    [InlineData("put \"q\\\"\\\\\\n\\t\\z\" '\\n'", "put|q\"\\\n\t\\z|\\n")]
    [InlineData("get a # the rest", "get|a")]
    [InlineData("get a#b", "get|a#b")]
    [InlineData("", "")]
    public void A_line_is_split_into_words(string line, string words) =>
        Assert.Equal(words, string.Join('|', WordSplitter.Split(line)));

    [Theory]
    [InlineData("put \"a")]
    [InlineData("put 'a")]
    [InlineData("put \"a\\\"")]
    public void A_quote_must_be_closed(string line) => Assert.Throws<UsageException>(() => WordSplitter.Split(line));

    [Fact]
    public async Task The_exit_code_is_that_of_the_last_line_that_was_not_done()
    {
        using var terminal = new TestTerminal();
        var ran = new List<string>();
        var interpreter = new Interpreter(terminal.Terminal, words =>
        {
            ran.Add(string.Join('|', words));
            return Task.FromResult(words[0] == "get" ? 1 : 0);
        });
        foreach (var line in new[] { "put a b", "", "get 'a b'", "help" })
            Assert.True(await interpreter.RunAsync(line));
        Assert.Equal(1, interpreter.ExitCode);
        Assert.True(await interpreter.RunAsync("put \"open"));
        Assert.Equal(2, interpreter.ExitCode);
        Assert.False(await interpreter.RunAsync(" exit "));
        Assert.Equal(["put|a|b", "get|a b", "--help"], ran);
        Assert.Equal("recoverkv: the quote \" is not closed", terminal.Error.Trim());
    }

    [Theory]
    [InlineData("abc", "abc_")]
    [InlineData("abc<<x", "ax_bc")]
    [InlineData("abc<Dx", "abx_")]
    [InlineData("ab[x]y", "xaby_")]
    [InlineData("one two~W", "one _")]
    [InlineData("one two~A~K", "_")]
    [InlineData("one two~U", "_")]
    [InlineData("one two<<~Kx", "one tx_")]
    [InlineData("abBB", "_")]
    [InlineData("^", "second_")]
    [InlineData("^^^", "first_")]
    [InlineData("draft^^vv", "draft_")]
    [InlineData("^x^v", "second_")]
    public void Keys_edit_the_line(string keys, string expected)
    {
        var buffer = new LineBuffer(["first", "second"]);
        for (var i = 0; i < keys.Length; i++)
        {
            var key = keys[i] == '~' ? Control(keys[++i]) : Key(keys[i]);
            Assert.Equal(EditResult.Editing, buffer.Take(key));
        }

        Assert.Equal(expected, buffer.Text.Insert(buffer.Cursor, "_"));
    }

    [Fact]
    public void A_character_of_two_parts_is_one()
    {
        var buffer = new LineBuffer([]);
        foreach (var c in "a😀") buffer.Take(new ConsoleKeyInfo(c, 0, false, false, false));
        buffer.Take(Key('B'));
        Assert.Equal("a", buffer.Text);
    }

    [Fact]
    public void Enter_and_control_keys_end_the_line()
    {
        var buffer = new LineBuffer([]);
        Assert.Equal(EditResult.Ended, buffer.Take(Control('D')));
        Assert.Equal(EditResult.Cancelled, buffer.Take(Control('C')));
        buffer.Take(Key('a'));
        Assert.Equal(EditResult.Editing, buffer.Take(Control('D')));
        Assert.Equal(EditResult.Accepted, buffer.Take(new ConsoleKeyInfo('\r', ConsoleKey.Enter, false, false, false)));
    }

    [Fact]
    public void The_history_is_kept_and_belongs_to_its_user()
    {
        var folder = Directory.CreateTempSubdirectory("recoverkv-history").FullName;
        try
        {
            var file = Path.Combine(folder, "sub", "history");
            var warnings = new List<string>();
            var history = new History(file, warnings.Add);
            foreach (var line in new[] { "put a b", "put a b", "", "get a" }) history.Add(line);
            Assert.Equal(["put a b", "get a"], new History(file, warnings.Add).Lines);
            Assert.Empty(warnings);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_history_that_cannot_be_kept_is_no_failure()
    {
        var warnings = new List<string>();
        var history = new History(Path.Combine(Path.GetTempFileName(), "below a file"), warnings.Add);
        history.Add("get a");
        Assert.Equal(["get a"], history.Lines);
        Assert.Single(warnings);
    }

    private static ConsoleKeyInfo Control(char letter) =>
        new((char)(letter - '@'), Enum.Parse<ConsoleKey>(letter.ToString()), false, false, control: true);

    private static ConsoleKeyInfo Key(char c) => c switch
    {
        '<' => Named(ConsoleKey.LeftArrow),
        '>' => Named(ConsoleKey.RightArrow),
        '[' => Named(ConsoleKey.Home),
        ']' => Named(ConsoleKey.End),
        'B' => Named(ConsoleKey.Backspace),
        'D' => Named(ConsoleKey.Delete),
        '^' => Named(ConsoleKey.UpArrow),
        'v' => Named(ConsoleKey.DownArrow),
        _ => new ConsoleKeyInfo(c, 0, false, false, false),
    };

    private static ConsoleKeyInfo Named(ConsoleKey key) => new('\0', key, false, false, false);
}
