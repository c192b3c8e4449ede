using System.Globalization;
using System.Text;

namespace RecoverKV.Client.Network;

/// <summary>Text that others chose, before it goes into a log or to a terminal.</summary>
internal static class ForeignText
{
    /// <summary>At most so many characters, and none that a terminal does not just show.</summary>
    internal static string Clean(string text, int most)
    {
        var clean = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length >= most) return clean.Append("...").ToString();
            var isShown = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate);
            clean.Append(isShown ? rune.ToString() : "?");
        }

        return clean.ToString();
    }
}
