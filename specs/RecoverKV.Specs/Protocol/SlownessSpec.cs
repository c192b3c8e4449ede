using RecoverKV.Actors.Protocol;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R8 Members that are slow but not silent.</summary>
public sealed class SlownessSpec
{
    private static bool ChangesView(Effect effect) => Sends<Canvass>(effect);

    private static bool MakesWay(Effect effect) => Sends<Handover>(effect);

    private static NodeId[] HandedTo(CoreKit kit, Loaded all)
    {
        var to = new List<NodeId>();
        all.Until(e => e is Effect.Send { Message: Handover { Slow: true } } send && Add(to, send.To), atMost: 5000);
        Assert.True(kit.Core.IsSequencer);
        return [.. to];
    }

    private static bool Add(List<NodeId> list, NodeId node)
    {
        list.Add(node);
        return true;
    }

    [Fact]
    public void R8_a_replica_that_runs_a_fifth_of_the_time_leaves_within_five_seconds_and_comes_back_when_it_is_well()
    {
        var kit = Sequencer(log: 1);
        var all = new Loaded(kit) { Runs = (node, time) => node != 3 || Loaded.AFifth(time) };
        Assert.InRange(all.Until(ChangesView, atMost: 5000) ?? int.MaxValue, 2000, 5000);
        all.Change(1, 2);

        // As long as it is slow it is not wanted.
        all.Calm(20_000);
        all.Runs = (_, _) => true;
        Assert.InRange(all.Until(ChangesView, atMost: 20_000) ?? int.MaxValue, 4000, 7000);
        all.Change(1, 2, 3);
        all.Calm(20_000);
    }

    [Fact]
    public void R8_each_relapse_doubles_the_pause_up_to_a_minute_and_a_long_good_time_forgets_it()
    {
        var kit = Sequencer(log: 1);
        var all = new Loaded(kit);
        foreach (var pause in new[] { 5, 10, 20, 40, 60, 60 })
        {
            all.Runs = (node, time) => node != 3 || Loaded.AFifth(time);
            Assert.NotNull(all.Until(ChangesView, atMost: 5000));
            all.Change(1, 2);
            all.Runs = (_, _) => true;
            Assert.InRange(
                all.Until(ChangesView, atMost: 100_000) ?? int.MaxValue, pause * 1000 - 1000, pause * 1000 + 2000);
            all.Change(1, 2, 3);
        }

        all.Calm(130_000);
        all.Runs = (node, time) => node != 3 || Loaded.AFifth(time);
        Assert.NotNull(all.Until(ChangesView, atMost: 5000));
        all.Change(1, 2);
        all.Runs = (_, _) => true;
        Assert.InRange(all.Until(ChangesView, atMost: 100_000) ?? int.MaxValue, 4000, 7000);
    }

    [Fact]
    public void R8_a_slow_member_that_is_started_again_is_taken_in_at_once()
    {
        var kit = Sequencer(log: 1);
        var all = new Loaded(kit) { Runs = (node, time) => node != 3 || Loaded.AFifth(time) };
        Assert.NotNull(all.Until(ChangesView, atMost: 5000));
        all.Change(1, 2);
        all.Runs = (node, _) => node != 3;
        all.Calm(3000);
        kit.Receive(3, Ack(kit, 3, round: 1, contiguous: kit.Core.Contiguous.Value) with { Run = 7 });
        Assert.Contains(kit.Wait(1100), ChangesView);
    }

    [Fact]
    public void R8_a_slow_member_stays_if_no_majority_would_remain()
    {
        var kit = Sequencer(inSync: [1, 2], log: 1);
        new Loaded(kit, of: 2) { Runs = (_, time) => Loaded.AFifth(time) }.Calm(10_000);
    }

    [Fact]
    public void R8_of_two_slow_members_of_four_in_sync_one_leaves_and_of_five_both()
    {
        var four = new Loaded(Sequencer(inSync: [1, 2, 3, 4], of: 5, log: 1), of: 4)
        {
            Runs = (node, time) => node == 2 || Loaded.AFifth(time + (node == 4 ? 0 : 200)),
        };
        Assert.NotNull(four.Until(ChangesView, atMost: 6000));
        four.Change(1, 2, 4);
        four.Calm(10_000);

        var five =
            new Loaded(Sequencer(of: 5, log: 1), of: 5) { Runs = (node, time) => node < 4 || Loaded.AFifth(time) };
        Assert.NotNull(five.Until(ChangesView, atMost: 6000));
        five.Change(1, 2, 3);
        five.Calm(10_000);
    }

    [Fact]
    public void R8_a_slow_member_is_better_than_no_majority()
    {
        var kit = Sequencer(log: 1);
        var all = new Loaded(kit) { Runs = (node, time) => node != 3 || Loaded.AFifth(time) };
        Assert.NotNull(all.Until(ChangesView, atMost: 5000));
        all.Change(1, 2);
        all.Runs = (node, time) => node == 3 && Loaded.AFifth(time);
        Assert.NotNull(all.Until(ChangesView, atMost: 2000));
        all.Change(1, 3);
    }

    [Theory]
    [InlineData(3, 50)] // 50 ms of 500 each
    [InlineData(3, 250)]
    [InlineData(0, 400)] // the two in turns, a second each
    public void R8_who_is_late_for_less_than_half_of_the_time_stays(int who, int standstill)
    {
        bool IsIt(int node, int time) => who == 0 ? time / 1000 % 2 == node - 2 : node == who;
        var all =
            new Loaded(Sequencer(log: 1)) { Runs = (node, time) => !IsIt(node, time) || time % 500 >= standstill };
        all.Calm(20_000);
    }

    [Fact]
    public void R8_all_are_slow_alike_and_nothing_changes()
    {
        var all = new Loaded(Sequencer(log: 1))
        {
            Runs = (_, time) => Loaded.AFifth(time),
            Disk = Loaded.AFifth,
            Ticks = Loaded.AFifth,
            TicksLate = _ => 80,
        };
        all.Calm(30_000);
    }

    [Fact]
    public void R8_without_writes_nobody_waits_for_a_slow_replica_and_it_stays() =>
        new Loaded(Sequencer(log: 1)) { Writes = false, Runs = (node, time) => node != 3 || Loaded.AFifth(time) }
            .Calm(20_000);

    [Fact]
    public void R8_a_sequencer_with_a_slow_disk_makes_way_with_growing_pauses()
    {
        var kit = Sequencer(log: 1);
        // n2 is slow as well: n3 shall lead.
        var all = new Loaded(kit) { Disk = time => time % 500 == 0, TicksLate = node => node == 2 ? 80 : 0 };
        Assert.Equal([Node(3)], HandedTo(kit, all));
        // If nothing comes of it, it tries again.
        all.Calm(4500);
        Assert.NotNull(all.Until(MakesWay, atMost: 1000));
        all.Calm(9500);
        Assert.NotNull(all.Until(MakesWay, atMost: 1000));
    }

    [Fact]
    public void R8_a_sequencer_that_runs_a_fifth_of_the_time_makes_way_with_and_without_writes()
    {
        foreach (var writes in new[] { true, false })
        {
            var kit = Sequencer(log: 1);
            Assert.Single(HandedTo(kit, new Loaded(kit) { Ticks = Loaded.AFifth, Writes = writes }));
        }
    }

    [Fact]
    public void R8_a_sequencer_that_stands_still_once_for_long_leads_on_and_blames_nobody() =>
        new Loaded(Sequencer(log: 1)) { Ticks = time => time is < 3000 or > 3900 }.Calm(20_000);

    [Fact]
    public void R8_a_sequencer_that_makes_way_is_not_wanted_back_at_once()
    {
        var kit = Alive(2, log: 3, committed: 3);
        kit.Receive(1, new Handover(E(1), Slow: true));
        kit.Succeed(2, [Member(1), Member(3)], [Member(3)], View1(), contiguous: 3);
        Assert.Equal([Node(2), Node(3)], kit.Core.View.InSync);
        Assert.DoesNotContain(kit.Run(4900, contiguous: 3, 1, 3), ChangesView);
        Assert.Contains(kit.Run(200, contiguous: 3, 1, 3), ChangesView);
    }

    [Fact]
    public void R8_a_member_that_was_not_heard_comes_back_at_once_the_first_time_and_after_a_pause_the_next_times()
    {
        var all = new Loaded(Sequencer(log: 1));
        foreach (var pause in new[] { 0, 1000, 2000 })
        {
            all.Runs = (node, _) => node != 3;
            Assert.NotNull(all.Until(ChangesView, atMost: 2000));
            all.Change(1, 2);
            all.Runs = (_, _) => true;
            Assert.InRange(all.Until(ChangesView, atMost: 5000) ?? int.MaxValue, pause, pause + 1500);
            all.Change(1, 2, 3);
            all.Calm(2000);
        }
    }

    [Fact]
    public void R8_a_replica_that_says_that_its_ticks_are_late_is_not_taken_in()
    {
        var all = new Loaded(Sequencer(inSync: [1, 2], log: 1)) { TicksLate = node => node == 3 ? 80 : 0 };
        all.Calm(5000);
        all.TicksLate = _ => 0;
        Assert.NotNull(all.Until(ChangesView, atMost: 500));
    }

    [Fact]
    public void R8_a_member_says_how_late_its_ticks_are()
    {
        var kit = Alive(2);
        kit.Wait(1000);
        kit.Receive(1, Beat(1, round: 5)).Exactly(To(1, Ack(kit, 1, 5, 0)));
        kit.Later(800);
        kit.Wait(200);
        kit.Receive(1, Beat(1, round: 6)).Exactly(To(1, Ack(kit, 1, 6, 0) with { TicksLate = 81 }));
        kit.Wait(1000);
        kit.Receive(1, Beat(1, round: 7)).Exactly(To(1, Ack(kit, 1, 7, 0)));
    }
}
