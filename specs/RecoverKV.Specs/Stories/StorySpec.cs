namespace RecoverKV.Specs.Stories;

/// <summary>
/// What a newcomer should have read once, as the nodes do it: how a store goes on without its sequencer, how a replica gets what it
/// missed, how a silent one is left out and comes back, and how one gets what no log has any more. To write the files anew after
/// a change of the protocol, run this with RECOVERKV_STORIES=write in the environment, and read them.
/// </summary>
public sealed class StorySpec
{
    public static TheoryData<string> Names => [.. Stories.Keys];

    private static readonly Dictionary<string, Func<Story>> Stories = new()
    {
        ["fail-over"] = FailOver,
        ["heal"] = Heal,
        ["dropped-member"] = DroppedMember,
        ["transfer"] = Transfer,
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void It_goes_as_it_is_told(string name)
    {
        var file = Path.Combine(Repository.Root, "specs", "RecoverKV.Specs", "Stories", $"{name}.txt");
        var text = Stories[name]().Text;
        if (Environment.GetEnvironmentVariable("RECOVERKV_STORIES") == "write") File.WriteAllText(file, text);
        Assert.Equal(File.ReadAllText(file), text);
    }

    private static Story FailOver()
    {
        var story = new Story();
        story.Tell("n1 leads. It gives a write its uid, and all three have it on disk before the client hears of it (R3, R4).");
        story.Put(1, key: 1, value: 10);
        story.Until(() => story.IsAnswered);
        story.Run(5);

        story.Tell("Another write: both replicas have it on disk, but what they say of it is lost, and then n1 dies.");
        story.Cut(1, says: false, hears: true);
        story.Put(1, key: 1, value: 11);
        story.Run(20);
        story.Node(1).Crash();
        story.Mend();

        story.Tell("After a lease time without a word of n1 the others elect n2 (R1, R2). The write is in its log, so it counts (R4).");
        story.Until(() => story.Node(2).Core!.IsSequencer && Story.IsAlive(story.Node(2)) && Story.IsAlive(story.Node(3)));

        story.Tell("The client asks once more, under the same number, and gets the answer of the write that was done (R9).");
        story.Put(2, key: 1, value: 11, again: true);
        story.Until(() => story.IsAnswered);
        story.Get(3, key: 1);
        story.Until(() => story.IsAnswered);

        story.Tell("n1 starts again, hears of the view that it missed, and is taken in by the next one (R8).");
        story.Node(1).Start();
        story.Until(() => Story.IsAlive(story.Node(1)));
        return story;
    }

    private static Story Heal()
    {
        var story = new Story();
        story.Tell("n3 dies. Nothing commits without it, until the others make a view of themselves (R8).");
        story.Node(3).Crash();
        story.Put(1, key: 1, value: 10);
        story.Until(() => story.IsAnswered);
        story.Put(1, key: 2, value: 20);
        story.Until(() => story.IsAnswered);
        story.Run(5);

        story.Tell("n3 starts: it replays its journal, gets the next write, and so knows the gap. It asks its peers for exactly that (R6).");
        story.Node(3).Start();
        story.Put(1, key: 3, value: 30);
        story.Until(() => Story.IsAlive(story.Node(3)));
        return story;
    }

    private static Story DroppedMember()
    {
        var story = new Story();
        story.Tell("n3 is cut off. It has a lease, and may answer reads until that ends: nothing that it lacks commits before (R5, R8).");
        story.Cut(3, says: true, hears: true);
        story.Put(1, key: 1, value: 10);
        story.Get(3, key: 1);
        story.Until(() => story.IsAnswered);
        story.Run(900);

        story.Tell("n1 makes a view without it, waits for the end of that lease, and the write is done.");
        story.Until(() => story.Node(1).Core!.Applied.Value == 2);

        story.Tell("n3 knows nothing of this, but that its lease has ended.");
        story.Get(3, key: 1);
        story.Until(() => story.IsAnswered);

        story.Tell("The cut is mended. n3 is a ZOMBIE that catches up, and in the next view again.");
        story.Mend();
        story.Until(() => Story.IsAlive(story.Node(3)));
        return story;
    }

    private static Story Transfer()
    {
        var story = new Story(
            o => o with { LogBytesInMemory = 0, LogBytesKept = 0, PieceBytes = 1 }, TimeSpan.FromMilliseconds(20));
        story.Tell("n3 loses its disk. The others go on, and make checkpoints, of which their logs forget all (R10).");
        story.Node(3).Wipe();
        for (var i = 1; i <= 3; i++)
        {
            story.Put(1, key: i, value: 10 * i);
            story.Until(() => story.IsAnswered);
        }

        story.Run(100);

        story.Tell("n3 comes back as another incarnation, which is no member. No log has what it lacks, so it takes the state.");
        story.Node(3).Start();
        story.Until(() => story.Node(3).Core?.State.Count == 3);

        story.Tell("It has started anew with it, and takes the old incarnation's place in the next view (R11).");
        story.Until(() => Story.IsAlive(story.Node(3)));
        return story;
    }
}
