namespace RecoverKV.Simulation;

/// <summary>The page of the repository that has the last results of the long runs. Each command owns a section of it,
/// between two marks, and replaces that one only.</summary>
public static class ResultsPage
{
    private const string Heading =
        """
        # Results of the long runs

        Each section is written by the command that it names, after its run; nothing here is edited by hand.

        """;

    /// <summary>Replaces a section of the page, or adds it; makes the page if it is not there.</summary>
    /// <param name="file">The page.</param>
    /// <param name="section">The section's name, unique within the page.</param>
    /// <param name="text">Markdown.</param>
    /// <exception cref="InvalidDataException">The section has a beginning and no end.</exception>
    public static void Write(string file, string section, string text)
    {
        var page = File.Exists(file) ? File.ReadAllText(file) : Heading;
        File.WriteAllText(file, Replace(page, section, text));
    }

    /// <summary>Whether <see cref="Write"/> will be able to: a long run should not find out at its end.</summary>
    /// <exception cref="InvalidDataException">The section has a beginning and no end, or the folder is not
    /// there.</exception>
    public static void Check(string file, string section)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
            throw new InvalidDataException($"{file}: there is no folder {folder}");
        if (File.Exists(file)) Replace(File.ReadAllText(file), section, "");
    }

    internal static string Replace(string page, string section, string text)
    {
        string begin = $"<!-- begin {section} -->\n", end = $"<!-- end {section} -->\n";
        var body = begin + text.TrimEnd() + "\n" + end;
        var from = page.IndexOf(begin, StringComparison.Ordinal);
        if (from < 0) return page.TrimEnd() + "\n\n" + body;
        var to = page.IndexOf(end, from, StringComparison.Ordinal);
        if (to < 0) throw new InvalidDataException($"the section {section} has no end");
        return page[..from] + body + page[(to + end.Length)..];
    }
}
