using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation;

namespace RecoverKV.Specs.Simulation;

/// <summary>
/// The simulator finds every known mistake: each with the lowest seed that meets it and the property that fails there.
/// The table is made by <see cref="MutationReport.Command"/>; changes of core or simulator move the seeds.
/// </summary>
public class MutationSpec
{
    public static TheoryData<string, int, string> Found { get; } = new()
    {
        { nameof(Mutations.NoLeaseCheck), 3, "Leases end before others commit" },
        { nameof(Mutations.LeaseFromArrival), 11, "Leases end before others commit" },
        { nameof(Mutations.NoEpochGate), 11, "In-sync members hold what is committed" },
        { nameof(Mutations.VotesForgotten), 91, "Only a damaged disk is given up" },
        { nameof(Mutations.AcknowledgeBeforeDurable), 1, "In-sync members hold what is committed" },
        { nameof(Mutations.PendingReadsServed), 1, "Reads see what was answered before" },
        { nameof(Mutations.OrphansKept), 10, "Committed prefixes are equal" },
        { nameof(Mutations.OrphanAcknowledged), 46, "Only a damaged disk is given up" },
        { nameof(Mutations.LateSynchronization), 85, "In-sync members hold what is committed" },
        { nameof(Mutations.ShrinkWithoutMajority), 1, "In-sync is a majority of the members" },
        { nameof(Mutations.NoWaitForLease), 3, "Leases end before others commit" },
        { nameof(Mutations.SessionsNotReplicated), 1, "Equal uids, equal states" },
        { nameof(Mutations.AmnesiaTrusted), 112, "A committed entry is never dropped" },
        { nameof(Mutations.HealBeyondCommitted), 7, "A committed entry is never dropped" },
        { nameof(Mutations.PromiseUnderLease), 11, "Leases end before others commit" },
        { nameof(Mutations.AnyClusterTrusted), 1, "Stores stay apart" },
        { nameof(Mutations.LeaseOfEachNode), 168, "Leases end before others commit" },
        { nameof(Mutations.OlderRunBelieved), 583, "Leases end before others commit" },
        { nameof(Mutations.HistoryTrimmedTooFar), 398, "Committed prefixes are equal" },
        { nameof(Mutations.SlowMemberKept), 218, "Slow members do not stay in-sync" },
        { nameof(Mutations.LossIgnored), 37, "Committed prefixes are equal" },
        { nameof(Mutations.CaptureMovesOn), 3, "Checkpoints are whole" },
        { nameof(Mutations.SessionOrderLost), 29, "Equal uids, equal states" },
        { nameof(Mutations.CheckpointBeforeJournal), 7, "Only a damaged disk is given up" },
        { nameof(Mutations.CheckpointCommitsEarly), 1326, "Replay gives back the durable state" },
        { nameof(Mutations.CompactedTooFar), 3, "What is needed is kept" },
        { nameof(Mutations.TransferWithoutTail), 31, "Replay gives back the durable state" },
        { nameof(Mutations.QuotaIgnored), 8, "The quota is kept" },
    };

    [Theory]
    [MemberData(nameof(Found))]
    public void A_known_mistake_is_found(string mistake, int seed, string property)
    {
        var violation = MutationSearch.Run(seed, Enum.Parse<Mutations>(mistake));
        Assert.True(violation?.Property == property,
            $"with {mistake}, seed {seed} does not break \"{property}\", but: {violation?.Message ?? "nothing"}\n"
            + $"If core or simulator changed since, the seeds have moved: run\n  {MutationReport.Command}\n"
            + $"and put the lines that it prints into the table of {MutationReport.Spec}.");

        var without = MutationSearch.Run(seed, Mutations.None);
        Assert.True(without is null, $"without {mistake}, seed {seed} breaks a property, too: {without}");
    }

    [Fact]
    public void Every_known_mistake_is_in_the_table_with_a_seed_within_the_limit()
    {
        var rows = ((IEnumerable<object[]>)Found).ToList();
        Assert.Equal(MutationSearch.All.Select(m => m.ToString()), rows.Select(r => (string)r[0]));
        Assert.All(rows, r => Assert.InRange((int)r[1], 1, MutationSearch.LastSeed));
        Assert.Equal(2000, MutationSearch.LastSeed);
        Assert.True(rows.Count >= 12);
    }

    [Fact]
    public void The_lowest_seed_is_found_whichever_is_found_first()
    {
        using var later = new ManualResetEventSlim();
        var found = MutationSearch.Lowest(100, threads: 2, seed =>
        {
            if (seed == 5) later.Wait(TimeSpan.FromMinutes(1));
            if (seed == 7) later.Set();
            return seed is 5 or 7 or 9 ? $"at {seed}" : null;
        });
        Assert.Equal((5, "at 5"), found);
        Assert.Null(MutationSearch.Lowest(4, threads: 2, seed => seed == 5 ? "beyond the limit" : null));
    }

    [Fact]
    public void What_was_found_is_printed_as_a_line_of_the_table()
    {
        var found = new FoundMistake(Mutations.NoEpochGate, 6, "Liveness", null, TimeSpan.FromSeconds(2));
        Assert.Equal("        { nameof(Mutations.NoEpochGate), 6, \"Liveness\" },", MutationReport.SpecLine(found));
    }

    [Fact]
    public void The_report_tells_what_was_not_found_and_what_is_no_proof()
    {
        var found = new FoundMistake(Mutations.NoEpochGate, 6, "Liveness", null, TimeSpan.FromSeconds(2.34));
        var noProof = found with { WithoutIt = new ViolationException("Answers", "wrong") };
        var text = MutationReport.Text(
            [(Mutations.NoEpochGate, found), (Mutations.OrphansKept, null), (Mutations.NoLeaseCheck, noProof)],
            threads: 2);
        Assert.Contains("**1 of 3 found**", text, StringComparison.Ordinal);
        Assert.Contains("| NoEpochGate | 6 | Liveness | 2.3 s |", text, StringComparison.Ordinal);
        Assert.Contains("| OrphansKept | none | | |", text, StringComparison.Ordinal);
        Assert.Contains(
            "| NoLeaseCheck | 6 | NO PROOF: without the mistake, too: Answers | 2.3 s |",
            text, StringComparison.Ordinal);
    }
}
