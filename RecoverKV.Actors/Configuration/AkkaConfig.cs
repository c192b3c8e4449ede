using System.Globalization;
using Akka.Configuration;
using RecoverKV.Actors.Gateway;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.Storage;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Configuration;

/// <summary>
/// The configuration of a node's actor system. What differs from Akka's defaults is here, with its reason; a user's
/// own <c>akka.*</c> keys override it.
/// </summary>
public static class AkkaConfig
{
    /// <summary>The dispatcher of the journal, whose calls block a thread while the disk works.</summary>
    public const string JournalDispatcher = "akka.persistence.dispatchers.recoverkv-journal";

    /// <summary>The dispatcher of checkpoints, whose calls block a thread for long.</summary>
    public const string StoreDispatcher = "akka.persistence.dispatchers.recoverkv-store";

    /// <summary>The journal's plugin.</summary>
    public const string JournalPlugin = "akka.persistence.journal.sql";

    /// <summary>What reads checkpoints.</summary>
    private const string SnapshotPlugin = "akka.persistence.snapshot-store.recoverkv";

    /// <summary>How long SQLite waits for a lock that another connection holds. Nobody but the journal writes, so
    /// that waiting is rare; what waited in vain is tried again.</summary>
    public static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(1);

    /// <summary>The complete configuration; Akka's own defaults come below it.</summary>
    public static Config Of(NodeSettings settings) => settings.AkkaOverrides
        .WithFallback(ConfigurationFactory.ParseString(General(settings)))
        .WithFallback(ConfigurationFactory.ParseString(Serialization))
        .WithFallback(ConfigurationFactory.ParseString(Remote(settings)))
        .WithFallback(ConfigurationFactory.FromResource(
            "RecoverKV.Actors.Network.network.conf", typeof(AkkaConfig).Assembly))
        .WithFallback(ConfigurationFactory.ParseString(Cluster(settings)))
        .WithFallback(ConfigurationFactory.ParseString(Persistence));

    private static string General(NodeSettings settings) => $$"""
        akka {
          loglevel = {{settings.LogLevel}}
          loggers = ["{{NameOf(typeof(StderrLogger))}}"]
          # Akka's logger of the start and the end; its own writes to stdout, which belongs to the program.
          stdout-logger-class = "{{NameOf(typeof(StderrStartLogger))}}"
          stdout-loglevel = {{settings.LogLevel}}
          # Actors that messages of clients and peers pass through.
          actor.deployment {
            /{{GatewayActor.Name}} {
              dispatcher = akka.actor.recoverkv-strand
            }
            /node {
              dispatcher = akka.actor.recoverkv-strand
            }
            /node/replica {
              dispatcher = akka.actor.recoverkv-strand
            }
          }
          # Messages to a node that is down are what the protocol expects.
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          # The host decides when the process ends, and with which exit code.
          coordinated-shutdown {
            exit-clr = off
            run-by-clr-shutdown-hook = off
            default-phase-timeout = 2s
            phases {
              # A node without a cluster majority would wait for the others to see it leave; nothing depends on it.
              cluster-leave.timeout = 1s
              cluster-exiting.timeout = 1s
              cluster-exiting-done.timeout = 1s
              cluster-shutdown.timeout = 1s
              actor-system-terminate.timeout = 5s
            }
          }
        }
        """;

    /// <summary>Every message has a codec of its own, and nothing else is sent or taken. Those of Akka's serializers
    /// that build whatever type a sender names are replaced (<see cref="RefusingSerializer"/>); those that stay know
    /// a fixed set of types.</summary>
    private static readonly string Serialization = $$"""
        akka.actor {
          serializers {
            recoverkv-fact = "{{NameOf(typeof(FactSerializer))}}"
            recoverkv-peer = "{{NameOf(typeof(PeerSerializer))}}"
            json = "{{NameOf(typeof(RefusingSerializer))}}"
            proto = "{{NameOf(typeof(RefusingSerializer))}}"
            daemon-create = "{{NameOf(typeof(RefusingSerializer))}}"
          }
          serialization-bindings {
            "{{NameOf(typeof(Fact))}}" = recoverkv-fact
            "{{NameOf(typeof(PeerEnvelope))}}" = recoverkv-peer
          }
          serialization-settings {
            allow-unregistered-types = false
            json.id = 1
            proto.id = 2
            daemon-create.id = 3
          }
        }
        """;

    private static string Remote(NodeSettings settings) => $$"""
        akka.remote {
          log-remote-lifecycle-events = off
          # Nobody stops actors of this node from outside or looks around in it (see PeerFilter.cs, too). Nodes address each
          # other's actors directly; only Akka.Cluster selects by path.
          untrusted-mode = on
          trusted-selection-paths = ["/system/cluster/core/daemon", "/system/cluster/heartbeatReceiver"]
          # A peer that was down is tried again soon: its first heartbeat decides how fast it heals.
          retry-gate-closed-for = 100ms
          # Each side writes to a connection of its own. To share one goes wrong when both connect at once and one of the
          # two connections breaks: the other one is then no longer read, for as long as it lives.
          use-passive-connections = off
          # A cut that swallows packets leaves TCP waiting for minutes even after it has healed: give such a
          # connection up and make a new one. Losing its messages is what the protocol expects.
          transport-failure-detector {
            heartbeat-interval = 500ms
            acceptable-heartbeat-pause = 3s
          }
          dot-netty.tcp {
            hostname = "{{settings.BindHost}}"
            port = {{Number(settings.BindPort)}}
            public-hostname = "{{settings.Self.Host}}"
            public-port = {{Number(settings.Self.Port)}}
            connection-timeout = 2s
            maximum-frame-size = {{Number(settings.FrameSize)}}b
            # What waits in the system's buffers delays what is written later, on this connection and, over a thin link,
            # on all.
            send-buffer-size = 262144b
            receive-buffer-size = 262144b
          }
        }
        """;

    /// <summary>It runs beside the protocol, and nothing depends on it; its intervals are shorter than Akka's.</summary>
    private static string Cluster(NodeSettings settings) => $$"""
        akka.actor.provider = cluster
        akka.cluster {
          seed-nodes = [{{string.Join(", ", settings.Members.Select(m => $"\"{m.Address}\""))}}]
          # Akka's default downs the smaller side of a cut. Who may commit is decided by views, never here.
          downing-provider-class = ""
          run-coordinated-shutdown-when-down = off
          log-info = off
          seed-node-timeout = 1s
          retry-unsuccessful-join-after = 500ms
          periodic-tasks-initial-delay = 200ms
          gossip-interval = 200ms
          leader-actions-interval = 200ms
          unreachable-nodes-reaper-interval = 200ms
        }
        """;

    private static readonly string Persistence = $$"""
        {{JournalDispatcher}} {
          type = ForkJoinDispatcher
          throughput = 10
          dedicated-thread-pool.thread-count = 1
        }
        {{StoreDispatcher}} {
          type = ForkJoinDispatcher
          throughput = 1
          dedicated-thread-pool.thread-count = 1
        }
        akka.persistence {
          journal.plugin = "{{JournalPlugin}}"
          journal.auto-start-journals = ["{{JournalPlugin}}"]
          # Checkpoints: read by Akka's recovery, written beside it.
          snapshot-store.plugin = "{{SnapshotPlugin}}"
          snapshot-store.recoverkv {
            class = "{{NameOf(typeof(StoreSnapshots))}}"
            plugin-dispatcher = "{{StoreDispatcher}}"
            # A large one takes its time to be read.
            circuit-breaker.call-timeout = 1h
            circuit-breaker.max-failures = 1000000
            circuit-breaker.reset-timeout = 1s
          }
          journal.sql {
            class = "{{NameOf(typeof(ReplicaJournal))}}"
            # Connections come from JournalFile, and so does the table.
            auto-initialize = false
            provider-name = "SQLite.MS"
            plugin-dispatcher = "{{JournalDispatcher}}"
            replay-dispatcher = "{{JournalDispatcher}}"
            materializer-dispatcher = "{{JournalDispatcher}}"
            # No event has a tag: spare the table of tags.
            tag-write-mode = Csv
            # Of an event, and of the checkpoint before the first one.
            recovery-event-timeout = 10m
          }
        }
        """;

    private static string NameOf(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
