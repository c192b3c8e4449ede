namespace RecoverKV.Actors.Configuration;

/// <summary>
/// Finds what Akka's HOCON parser would pass over in silence, or never come back from: brackets that do not match,
/// texts without an end, characters that need quotes, two keys in one line, nests that are deeper than any stack,
/// substitutions that lead back to themselves.
/// </summary>
internal sealed class HoconShape
{
    private const string NeedQuotes = "$`^?!@*&\\";
    private const int MostDepth = 32;
    private const int MostDots = 20;
    private readonly string _text;
    private readonly Stack<(char Bracket, int Line, string Path)> _open = new();
    private readonly HoconReferences _references = new();
    private int _position;
    private int _line = 1;
    private bool _assigned;
    private string _key = "";
    private int _keyStart;
    private int _dots;

    private HoconShape(string text) => _text = text;

    /// <exception cref="InvalidSettingsException">Something is wrong, in the line that the message names.</exception>
    public static void Check(string text) => new HoconShape(text).Run();

    private bool InList => _open.TryPeek(out var innermost) && innermost.Bracket == '[';

    private void Run()
    {
        while (_position < _text.Length)
        {
            if (At("#") || At("//")) SkipTo("\n", wanted: false);
            else if (At("\"\"\"")) SkipText("\"\"\"");
            else if (At("\"")) SkipText("\"");
            else if (At("${")) TakeReference();
            else Take(_text[_position++]);
        }

        if (_open.TryPop(out var open)) throw Wrong(open.Line, $"the '{open.Bracket}' here is never closed");
        if (_references.Wrong() is var (line, what)) throw Wrong(line, what);
    }

    private void Take(char c)
    {
        switch (c)
        {
            case '\n':
                _line++;
                BeginKey();
                break;
            case ',':
                BeginKey();
                break;
            case '{' or '[':
                if (!_assigned) EndKey();
                if (_open.Count == MostDepth)
                    throw Wrong(_line, $"more than {MostDepth} blocks or lists within each other");
                _open.Push((c, _line, Here));
                BeginKey();
                break;
            case '}' or ']':
                Close(c);
                BeginKey();
                break;
            case '=' or ':':
                if (InList) throw Wrong(_line, $"'{c}' in a list must stand in quotes");
                if (_assigned)
                    throw Wrong(
                        _line, $"a second '{c}' for one key: one key per line, and quotes around values with '{c}'");
                EndKey();
                _assigned = true;
                break;
            case '.' when !_assigned && !InList:
                if (++_dots > MostDots) throw Wrong(_line, $"a key of more than {MostDots} parts");
                break;
            default:
                if (char.IsControl(c) && c is not '\t' and not '\r')
                    throw Wrong(_line, $"a character of the code {(int)c}");
                if (NeedQuotes.Contains(c, StringComparison.Ordinal)) throw Wrong(_line, $"'{c}' must stand in quotes");
                break;
        }
    }

    /// <summary>The path of the key whose value is being read.</summary>
    private string Here
    {
        get
        {
            var outer = _open.TryPeek(out var open) ? open.Path : "";
            return outer.Length > 0 && _key.Length > 0 ? $"{outer}.{_key}" : outer + _key;
        }
    }

    private void BeginKey() => (_assigned, _key, _keyStart, _dots) = (false, "", _position, 0);

    private void EndKey()
    {
        var key = _text[_keyStart..(_position - 1)].Replace("\"", "", StringComparison.Ordinal);
        _key = key.TrimEnd('+', ' ', '\t', '\r').TrimStart();
    }

    private void TakeReference()
    {
        var (begin, start) = (_position, _position + 2);
        SkipTo("}", wanted: true);
        // The parser never comes back from one beside a text.
        if (InList
            && !(EndsItem(_text.AsSpan(0, begin).TrimEnd(" \t\r"), ^1)
                && EndsItem(_text.AsSpan(_position).TrimStart(" \t\r"), 0)))
            throw Wrong(_line, "a substitution in a list stands alone");
        if (!_references.TryAdd(Here, _text[start..(_position - 1)], _line))
            throw Wrong(_line, "too many substitutions");
    }

    private static bool EndsItem(ReadOnlySpan<char> rest, Index at) => rest.IsEmpty || ",[]\n#".Contains(rest[at]);

    private void Close(char c)
    {
        if (!_open.TryPop(out var open)) throw Wrong(_line, $"the '{c}' here closes nothing");
        if ((open.Bracket, c) is not (('{', '}') or ('[', ']')))
            throw Wrong(_line, $"the '{c}' here does not close the '{open.Bracket}' of line {open.Line}");
    }

    private void SkipText(string quote)
    {
        var start = _line;
        _position += quote.Length;
        while (_position < _text.Length && !At(quote))
        {
            var c = _text[_position];
            if (c == '\n' && quote.Length == 1) throw Wrong(start, "a text in quotes does not end in its line");
            if (c == '\n') _line++;
            else if (c == '\0') throw Wrong(_line, "a character of the code 0");
            _position += c == '\\' && quote.Length == 1 ? 2 : 1;
        }

        if (_position >= _text.Length) throw Wrong(start, "a text in quotes never ends");
        _position += quote.Length;
    }

    /// <summary>To just before a newline, or beyond the end of a substitution.</summary>
    private void SkipTo(string end, bool wanted)
    {
        var found = _text.IndexOf(end, _position, StringComparison.Ordinal);
        if (found < 0 && wanted) throw Wrong(_line, $"'{end}' is missing");
        _position = found < 0 ? _text.Length : wanted ? found + end.Length : found;
    }

    private bool At(string what) => string.CompareOrdinal(_text, _position, what, 0, what.Length) == 0;

    private static InvalidSettingsException Wrong(int line, string what) => new($"Line {line} is not HOCON: {what}.");
}
