using System.Text;
using Akka.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Configuration;

/// <summary>When a write counts as stored.</summary>
public enum Durability
{
    /// <summary>It is on the disk: survives a power loss.</summary>
    Full,

    /// <summary>The operating system has it: survives the end of the process.</summary>
    Os,
}

/// <summary>
/// The settings of a node, checked; each is explained in hocon/reference.conf. Made by <see cref="Load"/>.
/// </summary>
public sealed record NodeSettings
{
    /// <summary>The name of the actor systems of all nodes: part of their addresses.</summary>
    public const string SystemName = "recoverkv";

    /// <summary>The variable of the environment with the secret, where the configuration has none.</summary>
    public const string SecretVariable = "RECOVERKV_SECRET";

    /// <summary>Bytes of a message besides keys and values.</summary>
    private const long FrameOverhead = ClientLimits.FrameOverhead;

    /// <summary>Bytes of a write of one operation besides its key and value, and of one request in a batch.</summary>
    private const int WriteOverhead = 128, RequestOverhead = 6;

    /// <summary>This node, as the others reach it.</summary>
    public required Member Self { get; init; }

    /// <summary>All nodes, in the order that ranks them.</summary>
    public required IReadOnlyList<Member> Members { get; init; }

    /// <summary>Full path of the data folder.</summary>
    public required string Data { get; init; }

    /// <summary>When a write counts as stored.</summary>
    public required Durability Durability { get; init; }

    /// <summary>Whether clients may stop and cut nodes.</summary>
    public required bool Chaos { get; init; }

    /// <summary>Clients that know it may do so in any case; empty: none.</summary>
    public required string ChaosSecret { get; init; }

    /// <summary>By which nodes know each other; empty where there is one only, where certificates tell who is one, or
    /// where all are on loopback, which then have one of their user's.</summary>
    public required string Secret { get; init; }

    /// <summary>TLS of its connections.</summary>
    public required TlsSettings Tls { get; init; }

    /// <summary>The endpoint for the clients of the original.</summary>
    public required GrpcSettings Grpc { get; init; }

    /// <summary>The lowest level that is logged, as Akka calls it.</summary>
    public required string LogLevel { get; init; }

    /// <summary>The largest message, in bytes.</summary>
    public required int FrameSize { get; init; }

    /// <summary>The host name or address to listen on.</summary>
    public required string BindHost { get; init; }

    /// <summary>The port to listen on.</summary>
    public required int BindPort { get; init; }

    /// <summary>When checkpoints are made.</summary>
    public required CheckpointSettings Checkpoint { get; init; }

    /// <summary>How much data it may have.</summary>
    public required QuotaSettings Quota { get; init; }

    /// <summary>The bytes of the longest key and value together.</summary>
    public int LongestWrite => Protocol.MaxKeyBytes + Protocol.MaxValueBytes;

    /// <summary>The settings of the protocol, complete but for what each start and data folder brings.</summary>
    private ProtocolOptions Protocol { get; init; } = null!;

    /// <summary>What the user set for Akka.</summary>
    public required Config AkkaOverrides { get; init; }

    /// <summary>hocon/reference.conf.</summary>
    public static Config Reference { get; } =
        ConfigurationFactory.FromResource("RecoverKV.Actors.reference.conf", typeof(NodeSettings).Assembly);

    /// <summary>Reads a file in HOCON.</summary>
    /// <exception cref="InvalidSettingsException">The file cannot be read, is no HOCON, or has a wrong
    /// setting.</exception>
    public static NodeSettings LoadFile(string path)
    {
        var text = HoconFile.Read(path);
        try
        {
            return Load(Parse(text));
        }
        catch (InvalidSettingsException e)
        {
            throw new InvalidSettingsException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Reads HOCON.</summary>
    /// <exception cref="InvalidSettingsException">It is no HOCON.</exception>
    public static Config Parse(string hocon)
    {
        HoconShape.Check(hocon);
        try
        {
            return ConfigurationFactory.ParseString(
                hocon,
                static _ =>
                    throw new InvalidSettingsException("This is not HOCON as it is taken here: there is no include."));
        }
        catch (InvalidSettingsException)
        {
            throw;
        }
        // The parser has no exception of its own: a malformed text may end in any.
        catch (Exception e)
        {
            throw new InvalidSettingsException(
                $"This is not HOCON: {Short(e.Message)} (one key per line, blocks in braces)", e);
        }
    }

    /// <summary>The parser quotes the text that it does not understand, however long it is.</summary>
    private static string Short(string message)
    {
        const int most = 200;
        return (message.Length > most ? message[..most] + "..." : message).ReplaceLineEndings(" ");
    }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="InvalidSettingsException">One of them is missing, unknown or makes no sense.</exception>
    public static NodeSettings Load(Config config)
    {
        var read = new SettingsReader(config, Reference);
        var members = ReadMembers(read);
        var node = read.RequiredText("node", "the id of this node is wanted, one of those in recoverkv.members");
        var self = members.FirstOrDefault(m => m.Node.Name == node) ?? throw InvalidSettingsException.Of(
            "recoverkv.node", SettingsReader.Quote(node),
            $"an id in recoverkv.members is wanted, so one of {string.Join(", ", members.Select(m => m.Node))}");
        var bindHost = read.Host("bind.host", orEmpty: true);
        var bindPort = read.Int("bind.port", 0, 65535);
        if (bindHost.Length == 0) bindHost = self.Host;
        var data = ReadData(read);
        var tls = TlsSettings.Read(read, node, bindHost);
        var quota = QuotaSettings.Read(read);
        var frameSize = (int)read.Size("frame-size", ClientLimits.FrameBytesLeast, ClientLimits.FrameBytesMost);

        return new NodeSettings
        {
            Self = self,
            Members = members,
            Data = data,
            Durability = read.Choice("durability", new Dictionary<string, Durability>
            {
                ["full"] = Durability.Full,
                ["os"] = Durability.Os,
            }),
            Chaos = read.Choice("chaos", SettingsReader.OnOff),
            ChaosSecret = read.Text("chaos-secret"),
            Secret = ReadSecret(read, members, tls.On),
            Tls = tls,
            Grpc = GrpcSettings.Read(read, members, tls.On),
            LogLevel = read.Choice(
                "log-level", new[] { "DEBUG", "INFO", "WARNING", "ERROR", "OFF" }.ToDictionary(l => l)),
            FrameSize = frameSize,
            BindHost = bindHost,
            BindPort = bindPort > 0 ? bindPort : self.Port,
            Protocol = WithAgreed(ReadProtocol(read, [.. members.Select(m => m.Node)], frameSize), members) with
            {
                MemoryQuota = quota.Memory,
            },
            Quota = quota,
            Checkpoint = new CheckpointSettings(
                read.Int("checkpoint.writes", 1000, 1_000_000_000),
                read.Size("checkpoint.bytes", 1024 * 1024, 1024L * 1024 * 1024 * 1024)),
            AkkaOverrides = config.HasPath("akka") ? config.GetValue("akka").AtKey("akka") : Config.Empty,
        };
    }

    /// <summary>What the protocol core is given.</summary>
    /// <param name="incarnation">Of the data folder.</param>
    /// <param name="run">A random number of this run, not 0.</param>
    /// <param name="seed">Any number.</param>
    public ProtocolOptions ProtocolOptions(Guid incarnation, long run, ulong seed) =>
        Protocol with { Self = new MemberId(Self.Node, incarnation), Run = run, Seed = seed };

    private static string ReadSecret(SettingsReader read, List<Member> members, bool tls)
    {
        const int least = 16, most = 1024;
        var secret = read.Text("secret");
        if (secret.Length == 0) secret = Environment.GetEnvironmentVariable(SecretVariable) ?? "";
        if (secret.Length == 0 && (tls || members.Count == 1 || members.All(m => Hosts.IsLoopback(m.Host))))
            return secret;
        return secret.Length is >= least and <= most
            ? secret
            : throw InvalidSettingsException.Of(
                "recoverkv.secret", secret.Length == 0 ? "\"\"" : $"a text of {secret.Length} characters",
                $"{least} to {most} characters that nobody can guess are wanted, the same on all nodes, here or in the "
                + $"variable {SecretVariable} of the environment");
    }

    private static string ReadData(SettingsReader read)
    {
        // SQLite opens no file whose path has more than 512 bytes; names within the folder take some of them.
        const int most = 450;
        var text = read.RequiredText("data", "the folder for this node's data is wanted");
        if (text.Contains('\0', StringComparison.Ordinal))
            throw InvalidSettingsException.Of(
                "recoverkv.data", "a text with a NUL in it", "the path of a folder is wanted");
        var path = Path.GetFullPath(text);
        var bytes = Encoding.UTF8.GetByteCount(path);
        return bytes <= most
            ? path
            : throw InvalidSettingsException.Of(
                "recoverkv.data", $"a path of {bytes} bytes", $"at most {most} are wanted");
    }

    private static List<Member> ReadMembers(SettingsReader read)
    {
        const string path = "recoverkv.members", right = "a list of \"id@host:port\" is wanted, the same on all nodes";
        const string entry = "each entry is \"id@host:port\", the id of up to 32 letters, digits, - and _, the host "
            + "a name, an IPv4 address, or an IPv6 address in brackets";
        var members = new List<Member>();
        foreach (var member in read.Members("members", right, entry))
        {
            if (members.Any(m => m.Node == member.Node))
                throw InvalidSettingsException.Of(
                    path, $"a list with {member.Node} in it twice", "each id stands once");
            if (members.FirstOrDefault(member.IsWhere) is { } other)
                throw InvalidSettingsException.Of(
                    path, $"a list with {member.Host}:{member.Port} in it twice",
                    $"{other.Node} and {member.Node} need addresses of their own");
            members.Add(member);
        }

        return members.Count is >= 1 and <= 9
            ? members
            : throw InvalidSettingsException.Of(
                path, $"a list of {members.Count}", "1 to 9 nodes are wanted, best 3 or 5");
    }

    private static ProtocolOptions ReadProtocol(SettingsReader read, NodeId[] nodes, int frameSize)
    {
        var key = (int)read.Size("limits.key", 1, 64 * 1024);
        var mostValue = (frameSize - FrameOverhead - key) / 2;
        if (mostValue < 1)
            throw InvalidSettingsException.Of(
                "recoverkv.limits.key", SettingsReader.ShowSize(key),
                $"it must leave room for values in recoverkv.frame-size = {SettingsReader.ShowSize(frameSize)}");
        var value = (int)read.Size("limits.value", 1, mostValue);
        var requests = read.Int("batch.requests", 1, Batch.MostRequests);
        var mostBatch = frameSize - FrameOverhead;
        var options = new ProtocolOptions
        {
            Self = default,
            Nodes = nodes,
            FrameSize = frameSize,
            Run = 0,
            Seed = 0,
            Lease = read.Duration("lease"),
            HeartbeatInterval = read.Duration("heartbeat-interval"),
            SilenceLimit = read.Duration("silence-limit"),
            ElectionRankDelay = read.Duration("election-rank-delay"),
            ElectionJitter = read.Duration("election-jitter"),
            CampaignTimeout = read.Duration("campaign-timeout"),
            ResendInterval = read.Duration("resend-interval"),
            FetchTimeout = read.Duration("fetch-timeout"),
            BatchRequests = requests,
            BatchBytes = (int)read.Size("batch.bytes", 1, Math.Max(1, mostBatch - (long)RequestOverhead * requests)),
            BatchesInFlight = read.Int("batch.in-flight", 1, 64),
            WaitingRequests = read.Int("waiting.requests", 1, 1_000_000),
            WaitingBytes = read.Size("waiting.bytes", 1024, 64L * 1024 * 1024 * 1024),
            WaitingReads = read.Int("waiting.reads", 1, 1_000_000),
            WaitingReadBytes = read.Size("waiting.read-bytes", 1024, 64L * 1024 * 1024 * 1024),
            FetchEntries = read.Int("fetch.entries", 1, Batch.MostRequests),
            FetchBytes = (int)read.Size("fetch.bytes", 1, mostBatch),
            FetchesInFlight = read.Int("fetch.in-flight", 1, 64),
            ServesAlone = read.Choice(
                "on-partition", new Dictionary<string, bool> { ["consistent"] = false, ["available"] = true }),
            LogBytesInMemory = read.Size("log-memory", 0, 64L * 1024 * 1024 * 1024),
            LogBytesKept = read.Size("log.keep", 0, 64L * 1024 * 1024 * 1024),
            AnswerBytes = frameSize / 2,
            MaxRequestBytes = Math.Max(frameSize / 2, key + value + WriteOverhead),
            MaxKeyBytes = key,
            MaxValueBytes = value,
        };
        CheckDurations(options);
        return options;
    }

    // R12. The lease is not among them: all members of a view go by the view's.
    private static ProtocolOptions WithAgreed(ProtocolOptions options, IEnumerable<Member> members) => options with
    {
        Agreed =
        [
            new Setting("recoverkv.members", $"[{string.Join(", ", members)}]"),
            new Setting("recoverkv.frame-size", SettingsReader.ShowSize(options.FrameSize)),
            new Setting("recoverkv.limits.key", SettingsReader.ShowSize(options.MaxKeyBytes)),
            new Setting("recoverkv.limits.value", SettingsReader.ShowSize(options.MaxValueBytes)),
        ],
    };

    private static void CheckDurations(ProtocolOptions options)
    {
        if (options.Lease < options.HeartbeatInterval * 3)
            throw InvalidSettingsException.Of(
                "recoverkv.lease", SettingsReader.ShowDuration(options.Lease),
                "at least 3 times recoverkv.heartbeat-interval = "
                + $"{SettingsReader.ShowDuration(options.HeartbeatInterval)} is wanted");
        if (options.SilenceLimit < options.HeartbeatInterval * 2)
            throw InvalidSettingsException.Of(
                "recoverkv.silence-limit", SettingsReader.ShowDuration(options.SilenceLimit),
                "at least twice recoverkv.heartbeat-interval = "
                + $"{SettingsReader.ShowDuration(options.HeartbeatInterval)} is wanted");
    }
}
