using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R5, R6: what a replica that reaches no peer answers, by
/// <see cref="ProtocolOptions.ServesAlone"/>.</summary>
public sealed class IsolationSpec
{
    private static ProtocolOptions Available(ProtocolOptions options) => options with { ServesAlone = true };

    private static Effect[] Reads(CoreKit kit, string key) =>
        kit.Read(Ann, key, consistency: ReadConsistency.Available);

    [Fact]
    public void R5_with_a_lease_such_a_read_is_linearizable()
    {
        var kit = Alive(log: 3, committed: 3, options: Available);
        Reads(kit, "k3").Exactly(Given.Reads(Ann, V(3), age: 0));
        // A write that may be committed elsewhere is waited for, and refused with the lease.
        kit.Receive(1, Append(1, 4, 4, committed: 3));
        kit.DiskCatchesUp();
        Reads(kit, "k4").Nothing();
        kit.Wait(1000);
        kit.Receive(1, new Commit(E(1), U(4)));
        Reads(kit, "k4").Exactly(RefusesRead(Ann));
    }

    [Fact]
    public void R5_a_replica_that_hears_no_peer_answers_with_what_it_has_and_no_longer_once_it_hears_one()
    {
        var kit = Alive(log: 3, committed: 3, options: Available);
        kit.Wait(2900);
        Reads(kit, "k3").Exactly(RefusesRead(Ann));
        kit.Wait(200);
        Reads(kit, "k3").Exactly(Given.Reads(Ann, V(3), age: 3100));
        Assert.Equal(NodeMode.Ready, kit.Mode);
        // Any other read stays what it is.
        kit.Read(Ann, "k3").Exactly(RefusesRead(Ann));

        kit.Receive(3, new CanvassReply(E(5), false, E(1)));
        Reads(kit, "k3").Exactly(RefusesRead(Ann));
    }

    [Fact]
    public void R5_its_answer_never_says_that_it_is_not_stale()
    {
        // The age is not known, or no time has passed.
        var unknown = CoreKit.Start(2, 3, Journal(View1(), Batch(1, 1, 1)), Available);
        unknown.Wait(3100);
        Reads(unknown, "k1").Exactly(Given.Reads(Ann, null, age: -1));

        var fresh = Zombie([], Available);
        fresh.HealFrom();
        fresh.Receive(1, Beat(1, echo: fresh.Now + Ms(3000), committed: 0));
        fresh.Receive(1, new Commit(E(1), U(4)));
        fresh.Wait(3000);
        Reads(fresh, "k1").Exactly(Given.Reads(Ann, null, age: 1));
    }

    [Fact]
    public void R6_a_replica_that_no_peer_heals_is_alone_whatever_else_it_hears()
    {
        var kit = Zombie([Batch(1, 1, 2)], Available);
        kit.Receive(1, new Commit(E(1), U(4)));
        for (var round = 1; round <= 31; round++)
        {
            Reads(kit, "k2").Exactly(RefusesRead(Ann));
            kit.Wait(100);
            kit.Receive(1, Beat(1, round, committed: 4));
        }

        Reads(kit, "k2").Exactly(Given.Reads(Ann, V(2), age: -1));
        var asked = kit.WaitFor(Sends<Fetch>).SentTo(1).OfType<Fetch>().Single();
        kit.Receive(1, new Entries(E(1), asked.Id, [Batch(1, 3, 4)]));
        Reads(kit, "k2").Exactly(RefusesRead(Ann));
    }

    [Fact]
    public void R6_who_may_ask_nobody_need_not_wait_for_an_answer()
    {
        var kit = Zombie([Batch(1, 1, 2)], Available);
        kit.HealFrom();
        kit.Receive(1, new Commit(E(1), U(4)));
        kit.Wait(600);
        Reads(kit, "k2").Exactly(RefusesRead(Ann));
        kit.Wait(10);
        Reads(kit, "k2").Exactly(Given.Reads(Ann, V(2), age: -1));
    }

    [Fact]
    public void R5_a_consistent_replica_refuses_all_the_same()
    {
        var kit = Zombie([Batch(1, 1, 2)]);
        kit.HealFrom();
        kit.Receive(1, new Commit(E(1), U(4)));
        kit.Wait(10_000);
        Reads(kit, "k2").Exactly(RefusesRead(Ann));
    }
}
