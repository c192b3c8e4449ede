using System.CommandLine;
using System.Text;
using RecoverKV.Client;

namespace RecoverKV.Host.Commands;

/// <summary>How a command takes a key, and a value, from its words: as UTF-8, or with <c>--hex</c> as hexadecimal
/// digits, for bytes that no argument can hold; a value from a file or the standard input as well.</summary>
internal sealed class Words
{
    /// <summary>No value is larger; the store's own limit is below it, and is told by the store.</summary>
    private const int MostBytes = 64 * 1024 * 1024;

    private readonly Argument<string> _key = Arguments.Key();
    private readonly Option<bool> _hex;
    private readonly Argument<string>? _value;
    private readonly Option<string>? _file;

    private Words(Command command, bool hasValue)
    {
        _hex = new Option<bool>("--hex")
        {
            Description = hasValue
                ? "KEY and VALUE are hexadecimal digits, two a byte, and an old value is printed so."
                : "KEY is hexadecimal digits, two a byte, and a value is printed so.",
        };
        command.Add(_key);
        if (hasValue)
        {
            _value = new Argument<string>("VALUE")
            {
                Description =
                    "The value; may be empty. - is the standard input, byte by byte; -- - is a value of one dash.",
                Arity = ArgumentArity.ZeroOrOne,
            };
            _file = Arguments.NeverEmpty(new Option<string>("--file")
            {
                Description = "Take the value from this file, byte by byte.",
                HelpName = "FILE",
            });
            command.Add(_value);
            command.Add(_file);
            command.Validators.Add(result =>
            {
                if (result.GetResult(_value)?.Tokens.Count is 1 == result.GetResult(_file) is { Implicit: false })
                    result.AddError($"{command.Name}: either VALUE or --file FILE is wanted");
            });
        }

        command.Add(_hex);
        command.Validators.Add(result =>
        {
            if (!result.GetValue(_hex)) return;
            if (result.GetValue(_key) is { Length: > 0 } key && FromHex(key) is null)
                result.AddError(NoHex("KEY", key));
            if (_value is null || result.GetResult(_value)?.Tokens is not [{ Value: var value }] || value == "-")
                return;
            if (FromHex(value) is null) result.AddError(NoHex("VALUE", value));
        });
    }

    /// <summary>Adds KEY and <c>--hex</c> to a command.</summary>
    public static Words Key(Command command) => new(command, hasValue: false);

    /// <summary>Adds KEY, VALUE, <c>--file</c> and <c>--hex</c> to a command.</summary>
    public static Words KeyAndValue(Command command) => new(command, hasValue: true);

    /// <summary>Whether values are printed in hexadecimal.</summary>
    public bool IsHex(ParseResult parsed) => parsed.GetValue(_hex);

    /// <summary>The key as it was given, to be named in a line.</summary>
    public string Name(ParseResult parsed) => Failures.OneLine(parsed.GetRequiredValue(_key));

    /// <summary>The key.</summary>
    public Key KeyOf(ParseResult parsed) => KeyOf(parsed.GetRequiredValue(_key), IsHex(parsed));

    /// <summary>A key of a word, which was checked.</summary>
    public static Key KeyOf(string word, bool hex) => hex ? new Key(FromHex(word)!) : new Key(word);

    /// <summary>The value, which is read now if it is not in the words.</summary>
    /// <param name="parsed">The call.</param>
    /// <param name="input">The standard input; null: something else reads it.</param>
    /// <exception cref="UsageException">A file that cannot be read, or too much.</exception>
    public ReadOnlyMemory<byte> ValueOf(ParseResult parsed, Stream? input)
    {
        if (parsed.GetResult(_file!) is { Implicit: false } file) return Read(file.GetValueOrDefault<string>()!);
        var token = parsed.GetResult(_value!)!.Tokens[0];
        if (token.Value == "-" && !IsAfterDashes(parsed, token))
        {
            return input is null
                ? throw new UsageException("put: the standard input is that of the shell; take a file with --file")
                : Read(input, "the standard input");
        }

        return IsHex(parsed) ? FromHex(token.Value)! : Encoding.UTF8.GetBytes(token.Value);
    }

    private static bool IsAfterDashes(ParseResult parsed, System.CommandLine.Parsing.Token token)
    {
        foreach (var other in parsed.Tokens)
        {
            if (ReferenceEquals(other, token)) return false;
            if (other.Type == System.CommandLine.Parsing.TokenType.DoubleDash) return true;
        }

        return false;
    }

    private static byte[] Read(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return Read(stream, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"cannot read {file}: {e.Message}");
        }
    }

    private static byte[] Read(Stream input, string name)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; (read = input.Read(buffer, 0, buffer.Length)) > 0;)
        {
            if (all.Length + read > MostBytes)
                throw new UsageException($"{name} has more than {MostBytes} bytes: that is no value");
            all.Write(buffer, 0, read);
        }

        return all.ToArray();
    }

    /// <summary>The bytes of hexadecimal digits; null if they are none.</summary>
    public static byte[]? FromHex(string text)
    {
        if (text.Length % 2 != 0 || !text.All(char.IsAsciiHexDigit)) return null;
        return Convert.FromHexString(text);
    }

    /// <summary>Says so.</summary>
    public static string NoHex(string what, string text) =>
        $"--hex: {what} is wanted as hexadecimal digits, two a byte, not \"{text}\"";
}
