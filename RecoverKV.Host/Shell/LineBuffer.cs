namespace RecoverKV.Host.Shell;

/// <summary>What a key asks of the line being edited.</summary>
internal enum EditResult
{
    /// <summary>Go on.</summary>
    Editing,

    /// <summary>The line is complete.</summary>
    Accepted,

    /// <summary>Forget the line.</summary>
    Cancelled,

    /// <summary>No more lines.</summary>
    Ended,
}

/// <summary>A line being edited, with the usual keys and a history; knows nothing of a screen.</summary>
internal sealed class LineBuffer(IReadOnlyList<string> history)
{
    private string _draft = "";
    private int _recalled = history.Count;

    /// <summary>The text.</summary>
    public string Text { get; private set; } = "";

    /// <summary>Where the next character goes.</summary>
    public int Cursor { get; private set; }

    /// <summary>Takes one key.</summary>
    public EditResult Take(ConsoleKeyInfo key)
    {
        if (key.Modifiers.HasFlag(ConsoleModifiers.Control)) return TakeControl(key.Key);
        switch (key.Key)
        {
            case ConsoleKey.Enter: return EditResult.Accepted;
            case ConsoleKey.Backspace: Remove(Before(Cursor), Cursor); break;
            case ConsoleKey.Delete: Remove(Cursor, After(Cursor)); break;
            case ConsoleKey.LeftArrow: Cursor = Before(Cursor); break;
            case ConsoleKey.RightArrow: Cursor = After(Cursor); break;
            case ConsoleKey.Home: Cursor = 0; break;
            case ConsoleKey.End: Cursor = Text.Length; break;
            case ConsoleKey.UpArrow: Recall(_recalled - 1); break;
            case ConsoleKey.DownArrow: Recall(_recalled + 1); break;
            case ConsoleKey.Escape: Remove(0, Text.Length); break;
            default:
                if (!char.IsControl(key.KeyChar)) Insert(key.KeyChar);
                break;
        }

        return EditResult.Editing;
    }

    private EditResult TakeControl(ConsoleKey key)
    {
        switch (key)
        {
            case ConsoleKey.C: return EditResult.Cancelled;
            case ConsoleKey.D when Text.Length == 0: return EditResult.Ended;
            case ConsoleKey.D: Remove(Cursor, After(Cursor)); break;
            case ConsoleKey.J or ConsoleKey.M: return EditResult.Accepted;
            case ConsoleKey.A: Cursor = 0; break;
            case ConsoleKey.E: Cursor = Text.Length; break;
            case ConsoleKey.B: Cursor = Before(Cursor); break;
            case ConsoleKey.F: Cursor = After(Cursor); break;
            case ConsoleKey.LeftArrow or ConsoleKey.Home: Cursor = WordBefore(); break;
            case ConsoleKey.RightArrow or ConsoleKey.End: Cursor = WordAfter(); break;
            case ConsoleKey.H: Remove(Before(Cursor), Cursor); break;
            case ConsoleKey.K: Remove(Cursor, Text.Length); break;
            case ConsoleKey.U: Remove(0, Cursor); break;
            case ConsoleKey.W or ConsoleKey.Backspace: Remove(WordBefore(), Cursor); break;
            case ConsoleKey.P: Recall(_recalled - 1); break;
            case ConsoleKey.N: Recall(_recalled + 1); break;
        }

        return EditResult.Editing;
    }

    private void Insert(char c)
    {
        Text = Text.Insert(Cursor, c.ToString());
        Cursor++;
    }

    private void Remove(int from, int to)
    {
        Text = Text.Remove(from, to - from);
        Cursor = from;
    }

    private void Recall(int index)
    {
        if (index < 0 || index > history.Count) return;
        if (_recalled == history.Count) _draft = Text;
        _recalled = index;
        Text = index == history.Count ? _draft : history[index];
        Cursor = Text.Length;
    }

    private int Before(int index) =>
        index == 0 ? 0 : index > 1 && char.IsSurrogatePair(Text[index - 2], Text[index - 1]) ? index - 2 : index - 1;

    private int After(int index) =>
        index == Text.Length
            ? index
            : index + 1 < Text.Length && char.IsSurrogatePair(Text[index], Text[index + 1]) ? index + 2 : index + 1;

    private int WordBefore()
    {
        var index = Cursor;
        while (index > 0 && Text[index - 1] == ' ') index--;
        while (index > 0 && Text[index - 1] != ' ') index--;
        return index;
    }

    private int WordAfter()
    {
        var index = Cursor;
        while (index < Text.Length && Text[index] == ' ') index++;
        while (index < Text.Length && Text[index] != ' ') index++;
        return index;
    }
}
