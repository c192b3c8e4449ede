using System.Text;
using RecoverKV.Client;

namespace RecoverKV.Host.Commands;

/// <summary>How values are printed: as the bytes that they are or as hexadecimal digits, with a newline
/// after.</summary>
internal static class VersionOutput
{
    /// <summary>A value alone.</summary>
    public static void WriteValue(Terminal terminal, ReadOnlySpan<byte> value, bool hex)
    {
        if (hex) value = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(value));
        terminal.Output.Write(value);
        terminal.Output.Write("\n"u8);
        terminal.Output.Flush();
    }

    /// <summary>What a write of one key did: its uid, and the version before it if there was one.</summary>
    public static void WriteWritten(Terminal terminal, WriteResult result, bool hex)
    {
        terminal.Out.WriteLine($"uid {result.Uid}");
        if (result.PreviousOmitted)
            terminal.Error.WriteLine("recoverkv: the old value is not known: the write's first answer was lost");
        if (result.Previous is not [{ } previous, ..]) return;
        terminal.Out.Write("old ");
        WriteValue(terminal, previous.Value.Span, hex);
    }
}
