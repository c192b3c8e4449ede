using RecoverKV.Simulation;

namespace RecoverKV.Specs.Simulation;

/// <summary>The page that the long runs write their results into.</summary>
public sealed class ResultsPageSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Page => _folder.File("RESULTS.md");

    [Fact]
    public void A_section_is_replaced_in_place_and_the_others_are_left_alone()
    {
        ResultsPage.Write(Page, "chaos", "## Chaos\nold\n");
        ResultsPage.Write(Page, "chaos of five", "## Five\n\n\n");
        ResultsPage.Write(Page, "simulation", "## Simulation");
        var before = File.ReadAllText(Page);
        Assert.StartsWith("# Results of the long runs\n", before, StringComparison.Ordinal);
        Assert.EndsWith(
            """
            <!-- begin chaos -->
            ## Chaos
            old
            <!-- end chaos -->

            <!-- begin chaos of five -->
            ## Five
            <!-- end chaos of five -->

            <!-- begin simulation -->
            ## Simulation
            <!-- end simulation -->

            """.ReplaceLineEndings("\n"), before, StringComparison.Ordinal);

        ResultsPage.Write(Page, "chaos of five", "## Five\nnew\nlines\n");
        Assert.Equal(
            before.Replace("## Five\n", "## Five\nnew\nlines\n", StringComparison.Ordinal), File.ReadAllText(Page));

        ResultsPage.Write(Page, "chaos of five", "## Five");
        Assert.Equal(before, File.ReadAllText(Page));
    }

    [Fact]
    public void What_stands_around_the_sections_stays()
    {
        File.WriteAllText(
            Page,
            "by hand\n\n<!-- begin a -->\n1\n<!-- end a -->\nbetween\n<!-- begin b -->\n2\n<!-- end b -->\nafter\n");
        ResultsPage.Write(Page, "a", "3");
        Assert.Equal(
            "by hand\n\n<!-- begin a -->\n3\n<!-- end a -->\nbetween\n<!-- begin b -->\n2\n<!-- end b -->\nafter\n",
            File.ReadAllText(Page));
    }

    [Fact]
    public void A_section_without_an_end_is_refused_and_nothing_is_lost()
    {
        const string Cut = "<!-- begin b -->\n2\n<!-- end b -->\n\n<!-- begin a -->\n1\n";
        File.WriteAllText(Page, Cut);
        var e = Assert.Throws<InvalidDataException>(() => ResultsPage.Write(Page, "a", "3"));
        Assert.Contains("section a has no end", e.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => ResultsPage.Check(Page, "a"));
        Assert.Equal(Cut, File.ReadAllText(Page));
        ResultsPage.Check(Page, "b");
        ResultsPage.Check(Page, "c");
    }

    [Fact]
    public void A_page_in_a_folder_that_is_not_there_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => ResultsPage.Check(_folder.File("no", "such", "page.md"), "a"));
        ResultsPage.Check(Page, "a");
        Assert.False(File.Exists(Page));
    }
}
