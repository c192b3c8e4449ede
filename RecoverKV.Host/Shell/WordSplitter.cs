using System.Text;

namespace RecoverKV.Host.Shell;

/// <summary>
/// Splits a line of the shell into words. Spaces separate; between single quotes everything is literal; between
/// double quotes too, except \" \\ \n \r \t. A word may join quoted and unquoted parts. Outside quotes a backslash
/// is an ordinary character. A # at the start of a word begins a comment.
/// </summary>
internal static class WordSplitter
{
    /// <summary>The words of a line.</summary>
    /// <exception cref="UsageException">A quote is not closed.</exception>
    public static IReadOnlyList<string> Split(string line)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c is ' ' or '\t' or '\r')
            {
                if (word is not null) words.Add(word.ToString());
                word = null;
            }
            else if (c == '#' && word is null)
            {
                break;
            }
            else
            {
                word ??= new StringBuilder();
                if (c is '"' or '\'') i = Quoted(line, i, word);
                else word.Append(c);
            }
        }

        if (word is not null) words.Add(word.ToString());
        return words;
    }

    /// <summary>Appends what stands between the quotes; returns the place of the closing one.</summary>
    private static int Quoted(string line, int open, StringBuilder word)
    {
        var quote = line[open];
        for (var i = open + 1; i < line.Length; i++)
        {
            if (line[i] == quote) return i;
            if (quote == '"' && line[i] == '\\' && i + 1 < line.Length && Unescape(line[i + 1]) is { } escaped)
            {
                word.Append(escaped);
                i++;
            }
            else
            {
                word.Append(line[i]);
            }
        }

        throw new UsageException($"the quote {quote} is not closed");
    }

    private static char? Unescape(char c) => c switch
    {
        '"' or '\\' => c,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        _ => null,
    };
}
