using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace RecoverKV.Specs.Protocol;

/// <summary>
/// Core and state are functions of their inputs: no clock, no randomness, no I/O, no tasks and no Akka under Protocol/
/// and State/. Time and seeds come in as inputs, so that the simulator and a journal's replay run the same code as a
/// node does. And agreement knows nothing of keys: what requests mean is the state's alone.
/// </summary>
public sealed partial class PuritySpec
{
    [GeneratedRegex(
        @"\b(DateTime|DateTimeOffset|TimeProvider|Stopwatch|Environment|Random|RandomNumberGenerator|NewGuid"
        + @"|CreateVersion7"
        + @"|Task|ValueTask|Thread|Timer|async|await|lock|File|Directory|Socket|Console|Akka)\b")]
    private static partial Regex Impure();

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|@?""(\\.|[^""\\])*""", RegexOptions.Singleline)]
    private static partial Regex CommentOrText();

    [GeneratedRegex(@"\b(Key|KeyRange|WriteOperation|OperationKind|Operations|ScanItem)\b")]
    private static partial Regex OfKeys();

    private static string[] Violations(string source, Regex rule) =>
        [.. rule.Matches(CommentOrText().Replace(source, "")).Select(m => m.Value)];

    private static string Folder(string name, [CallerFilePath] string here = "")
    {
        // Up from this file to the root of the repository, wherever it was cloned to.
        for (var folder = new DirectoryInfo(here).Parent; folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RecoverKV.sln")))
                return Path.Combine(folder.FullName, "RecoverKV.Actors", name);
        }

        throw new DirectoryNotFoundException($"no RecoverKV.sln above {here}");
    }

    [Theory]
    [InlineData("Protocol", "ReplicaCore.cs")]
    [InlineData("State", "KeyValueState.cs")]
    public void No_source_file_uses_a_clock_randomness_io_tasks_or_Akka(string folder, string file)
    {
        var files = Directory.GetFiles(Folder(folder), "*.cs", SearchOption.AllDirectories);
        Assert.Contains(files, f => Path.GetFileName(f) == file);
        Assert.All(files, f => Assert.Empty(Violations(File.ReadAllText(f), Impure())));
    }

    [Fact]
    public void The_protocol_has_no_word_of_keys()
    {
        var files = Directory.GetFiles(Folder("Protocol"), "*.cs", SearchOption.AllDirectories);
        Assert.All(files, f => Assert.Empty(Violations(File.ReadAllText(f), OfKeys())));
        Assert.Contains(
            Directory.GetFiles(Folder("State"), "*.cs"), f => Violations(File.ReadAllText(f), OfKeys()).Length > 0);
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
        Assert.Equal(found == null ? [] : [found], Violations(source, Impure()));
}
