namespace RecoverKV.Host.Shell;

/// <summary>Reads lines from a person at a terminal, with editing and history.</summary>
internal sealed class LineEditor(Terminal terminal, string prompt, History history)
{
    /// <summary>The next line; null when there are no more.</summary>
    public string? Read()
    {
        // Ctrl-C clears the line here; while a command runs it interrupts that.
        Console.TreatControlCAsInput = true;
        try
        {
            return Edit();
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    private string? Edit()
    {
        var buffer = new LineBuffer(history.Lines);
        while (true)
        {
            Draw(buffer);
            switch (buffer.Take(Console.ReadKey(intercept: true)))
            {
                case EditResult.Accepted:
                    Draw(buffer);
                    terminal.Out.WriteLine();
                    return buffer.Text;
                case EditResult.Cancelled:
                    terminal.Out.WriteLine("^C");
                    buffer = new LineBuffer(history.Lines);
                    break;
                case EditResult.Ended:
                    terminal.Out.WriteLine();
                    return null;
            }
        }
    }

    /// <summary>Draws the part around the cursor that fits into one row.</summary>
    private void Draw(LineBuffer buffer)
    {
        var width = Math.Max(Console.WindowWidth - prompt.Length - 1, 10);
        var from = Math.Max(0, buffer.Cursor - width);
        var shown = buffer.Text.AsSpan(from, Math.Min(width, buffer.Text.Length - from));
        var column = prompt.Length + buffer.Cursor - from;
        terminal.Out.Write($"\r{prompt}{shown}\e[K\r\e[{column}C");
    }
}
