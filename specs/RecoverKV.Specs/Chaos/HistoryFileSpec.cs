using RecoverKV.Chaos.History;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Specs.Chaos;

/// <summary>A recorded history is whole, or it is refused.</summary>
public sealed class HistoryFileSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "history.json");

    public void Dispose() => _folder.Dispose();

    private static readonly HistoryEntry[] Entries =
    [
        new(1, 10, 20, Outcome.Applied, 5, [new KeyAction(ActionKind.Put, 3, 77, Expected: 0, Observed: 0)], [0]),
        new(
            2, 15, 30, Outcome.Applied, 0,
            [new KeyAction(ActionKind.Get, 3, Observed: 77), new KeyAction(ActionKind.Get, 4)], [5, 0]),
        new(1, 31, 0, Outcome.Unknown, 0, [new KeyAction(ActionKind.Delete, 3)], null),
    ];

    private void Write()
    {
        using var writer = new HistoryFile.Writer(File);
        foreach (var entry in Entries) writer.Add(entry);
        writer.End();
    }

    [Fact]
    public void What_was_written_is_read()
    {
        Write();
        var read = HistoryFile.Read(File);
        Assert.Equal(Entries.Select(e => e.ToOperation().ToString()), read.Select(e => e.ToOperation().ToString()));
        Assert.Equal(Entries.Select(e => e.Uid), read.Select(e => e.Uid));
        Assert.Equal(Entries.Select(e => e.Seen), read.Select(e => e.Seen));
        Assert.Equal(Entries.SelectMany(e => e.Actions), read.SelectMany(e => e.Actions));
    }

    [Fact]
    public void A_file_that_was_cut_off_anywhere_is_refused()
    {
        Write();
        var whole = System.IO.File.ReadAllText(File);
        // Without its last newline it still has all that it says.
        for (var length = 0; length < whole.Length - 1; length++)
        {
            System.IO.File.WriteAllText(File, whole[..length]);
            Assert.Throws<InvalidDataException>(() => HistoryFile.Read(File));
        }
    }

    [Fact]
    public void A_file_that_lacks_a_line_in_the_middle_is_refused()
    {
        Write();
        var lines = System.IO.File.ReadAllLines(File);
        System.IO.File.WriteAllLines(File, [.. lines[..2], .. lines[3..]]);
        Assert.Contains(
            "2 operations of 3", Assert.Throws<InvalidDataException>(() => HistoryFile.Read(File)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Another_file_is_refused()
    {
        System.IO.File.WriteAllText(File, "{}\n");
        Assert.Contains(
            "is no history", Assert.Throws<InvalidDataException>(() => HistoryFile.Read(File)).Message,
            StringComparison.Ordinal);
    }
}
