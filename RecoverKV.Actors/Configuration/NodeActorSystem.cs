using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Persistence.Sql.Config;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Actors.Configuration;

/// <summary>Starts the actor system of a node.</summary>
public static class NodeActorSystem
{
    /// <summary>An actor system that listens at the node's address and keeps its journal in the folder.</summary>
    public static ActorSystem Start(NodeSettings settings, DataFolder folder) =>
        ActorSystem.Create(NodeSettings.SystemName, Setup(settings, folder));

    /// <summary>What <see cref="Start"/> starts with.</summary>
    public static ActorSystemSetup Setup(NodeSettings settings, DataFolder folder) => ActorSystemSetup.Create(
        BootstrapSetup.Create().WithConfig(AkkaConfig.Of(settings)),
        new DataOptionsSetup(JournalFile.DataOptions(folder.Journal, settings.Durability)));
}
