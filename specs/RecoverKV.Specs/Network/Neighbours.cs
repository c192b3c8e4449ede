using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;
using RecoverKV.Specs.Storage;

namespace RecoverKV.Specs.Network;

/// <summary>Some nodes as they are configured, without anything that runs.</summary>
internal sealed class Neighbours
{
    /// <summary>By this the nodes of specs know each other.</summary>
    public const string Secret = "a secret of the specs";

    private readonly string _members;

    /// <param name="nodes">Their ids; those that begin with "six" are at IPv6's loopback.</param>
    public Neighbours(params string[] nodes)
    {
        Members = [.. nodes.Select(node => Member.Parse(
            $"{node}@{(node.StartsWith("six", StringComparison.Ordinal) ? "[::1]" : "127.0.0.1")}"
            + $":{JournalHarness.FreePort()}")!)];
        _members = string.Join(", ", Members.Select(m => $"\"{m}\""));
    }

    public IReadOnlyList<Member> Members { get; }

    public Member this[string node] => Members.Single(m => m.Node.Name == node);

    public NodeSettings Settings(string node, string data = "nowhere", string secret = Secret, string more = "") =>
        NodeSettings.Load(ConfigurationFactory.ParseString($$"""
            recoverkv {
              node = {{node}}
              members = [{{_members}}]
              data = "{{data}}"
              secret = "{{secret}}"
              log-level = OFF
              {{more}}
            }
            """));

    public Door Door(string node, string secret = Secret, string more = "") =>
        new(Settings(node, secret: secret, more: more));

    /// <summary>An actor system without remoting, for a transport by itself.</summary>
    public static ActorSystem System(Door door) => ActorSystem.Create(NodeSettings.SystemName, ActorSystemSetup.Create(
        BootstrapSetup.Create().WithConfig(
            ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF }")),
        door));

    /// <summary>The transport of such a system, for this member.</summary>
    public SocketTransport Transport(
        ActorSystem system, string node, int longest = 1 << 20, int buffers = 256_000, string more = "") =>
        new(system, ConfigurationFactory.ParseString(more).WithFallback(Settings(this[node], longest, buffers)));

    private static Config Settings(Member member, int longest, int buffers) => ConfigurationFactory.ParseString($"""
        hostname = "{Hosts.Bare(member.Host)}"
        port = {member.Port}
        public-hostname = ""
        public-port = 0
        enable-ssl = off
        dns-use-ipv6 = off
        backlog = 100
        connection-timeout = 10s
        maximum-frame-size = {longest}b
        send-buffer-size = {buffers}b
        receive-buffer-size = {buffers}b
        """);
}
