namespace RecoverKV.Host;

/// <summary>Finds brackets and quotes that are not closed. Akka's parser takes some such files as if they were
/// complete, and runs on without end on others.</summary>
internal static class HoconBrackets
{
    /// <summary>What is wrong, with its line; null if nothing is.</summary>
    public static string? Check(string text)
    {
        var open = new Stack<(char Bracket, int Line)>();
        var line = 1;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\n')
            {
                line++;
            }
            else if (c == '#' || (c == '/' && Next(text, i) == '/' && StartsComment(text, i)))
            {
                i = text.IndexOf('\n', i) is >= 0 and var end ? end - 1 : text.Length;
            }
            else if (c == '"')
            {
                var close = ClosingQuote(text, i);
                if (close < 0) return $"line {line}: a quote is not closed";
                line += text.AsSpan(i, close - i).Count('\n');
                i = close;
            }
            else if (c is '{' or '[')
            {
                open.Push((c, line));
            }
            else if (c is '}' or ']')
            {
                if (open.Count == 0) return $"line {line}: {c} closes nothing";
                var (bracket, since) = open.Pop();
                if ((bracket == '{') != (c == '}'))
                    return $"line {line}: {c} cannot close the {bracket} of line {since}";
            }
        }

        return open.Count == 0 ? null : $"line {open.Peek().Line}: {open.Peek().Bracket} is not closed";
    }

    private static char Next(string text, int index) => index + 1 < text.Length ? text[index + 1] : '\0';

    /// <summary>The // of an unquoted address is none.</summary>
    private static bool StartsComment(string text, int index) => index == 0 || text[index - 1] != ':';

    /// <summary>The last character of the string that begins at <paramref name="open"/>, -1 if it does not end.
    /// </summary>
    private static int ClosingQuote(string text, int open)
    {
        const string triple = "\"\"\"";
        if (string.CompareOrdinal(text, open, triple, 0, 3) == 0)
            return text.IndexOf(triple, open + 3, StringComparison.Ordinal) is >= 0 and var end ? end + 2 : -1;
        for (var i = open + 1; i < text.Length && text[i] != '\n'; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == '"') return i;
        }

        return -1;
    }
}
