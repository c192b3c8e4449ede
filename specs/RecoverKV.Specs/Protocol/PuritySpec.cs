using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace RecoverKV.Specs.Protocol;

/// <summary>
/// The core is a function of its inputs: no clock, no randomness, no I/O, no tasks and no Akka under Protocol/. Time and
/// seeds come in as inputs, so that the simulator and a journal's replay run the same code as a node does.
/// </summary>
public sealed partial class PuritySpec
{
    [GeneratedRegex(
        @"\b(DateTime|DateTimeOffset|TimeProvider|Stopwatch|Environment|Random|RandomNumberGenerator|NewGuid|CreateVersion7"
        + @"|Task|ValueTask|Thread|Timer|async|await|lock|File|Directory|Socket|Console|Akka)\b")]
    private static partial Regex Impure();

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|@?""(\\.|[^""\\])*""", RegexOptions.Singleline)]
    private static partial Regex CommentOrText();

    private static string[] Violations(string source) =>
        [.. Impure().Matches(CommentOrText().Replace(source, "")).Select(m => m.Value)];

    private static string Folder([CallerFilePath] string here = "")
    {
        // Up from this file to the root of the repository, wherever it was cloned to.
        for (var folder = new DirectoryInfo(here).Parent; folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RecoverKV.sln")))
                return Path.Combine(folder.FullName, "RecoverKV.Actors", "Protocol");
        }

        throw new DirectoryNotFoundException($"no RecoverKV.sln above {here}");
    }

    [Fact]
    public void No_source_file_of_the_protocol_uses_a_clock_randomness_io_tasks_or_Akka()
    {
        var files = Directory.GetFiles(Folder(), "*.cs", SearchOption.AllDirectories);
        Assert.Contains(files, f => Path.GetFileName(f) == "ReplicaCore.cs");
        Assert.All(files, f => Assert.Empty(Violations(File.ReadAllText(f))));
    }

    [Theory]
    [InlineData("var now = DateTime.UtcNow;", "DateTime")]
    [InlineData("var t = System.Diagnostics.Stopwatch.StartNew();", "Stopwatch")]
    [InlineData("var r = System.Random.Shared.Next();", "Random")]
    [InlineData("var id = Guid.NewGuid();", "NewGuid")]
    [InlineData("private Task<int> F() => null!;", "Task")]
    [InlineData("using Akka.Actor;", "Akka")]
    [InlineData("var a = 1; /* DateTime */ // Task\nvar b = \"Random // \\\" \"; // Akka", null)]
    [InlineData("private SplitMix64 _random; // \"Tasks\" of a RandomizedThing\nvar x = Randomized;", null)]
    public void The_check_sees_code_and_not_comments(string source, string? found) =>
        Assert.Equal(found == null ? [] : [found], Violations(source));
}
