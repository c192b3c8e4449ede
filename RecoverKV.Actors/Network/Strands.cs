using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>The strand of each actor system.</summary>
internal static class Strands
{
    private static readonly ConditionalWeakTable<ActorSystem, Strand> OfSystems = [];

    internal static Strand Of(ActorSystem system) => OfSystems.GetValue(system, _ => new Strand());
}

/// <summary>Gives a dispatcher the strand of its actor system; named in the configuration.</summary>
internal sealed class StrandConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    : ExecutorServiceConfigurator(config, prerequisites)
{
    /// <inheritdoc/>
    public override ExecutorService Produce(string id) => new Executor(Strands.Of(Prerequisites.Settings.System));

    private sealed class Executor(Strand strand) : ExecutorService("recoverkv-strand")
    {
        public override void Execute(IRunnable run) => strand.Execute(run);

        public override void Shutdown()
        {
        }
    }
}
