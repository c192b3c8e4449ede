using Akka.Configuration;
using RecoverKV.Actors;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Configuration;

public class NodeSettingsSpec
{
    private const string Minimal = """
        recoverkv {
          node = b
          members = ["a@10.0.0.1:4051", "b@host-b.example:4052", "c@127.0.0.1:4053"]
          data = "some folder/b"
          secret = "by which nodes know each other"
          tls.mode = off
        }
        """;

    private static readonly ProtocolOptions Defaults = new() { Self = default, Nodes = [], Run = 1, Seed = 1 };

    [Fact]
    public void The_defaults_are_those_of_the_protocol()
    {
        var self = new MemberId(new NodeId("b"), Guid.NewGuid());

        var options = NodeSettings.Load(NodeSettings.Parse(Minimal)).ProtocolOptions(self.Incarnation, 7, 8);

        Assert.Equal(["a", "b", "c"], options.Nodes.Select(n => n.Name));
        Assert.Equal(
            Defaults with
            {
                Self = self,
                Nodes = options.Nodes,
                Agreed = options.Agreed,
                Run = 7,
                Seed = 8,
                MemoryQuota = options.MemoryQuota,
            },
            options);
        Assert.InRange(options.MemoryQuota, 16L * 1024 * 1024, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);
        Assert.Equal(
            [
                "recoverkv.members = [a@10.0.0.1:4051, b@host-b.example:4052, c@127.0.0.1:4053]",
                "recoverkv.frame-size = 4MiB",
                "recoverkv.limits.key = 1KiB", "recoverkv.limits.value = 1MiB",
            ],
            options.Agreed.Select(s => $"{s.Name} = {s.Value}"));
    }

    [Fact]
    public void The_other_defaults_are_as_documented()
    {
        var settings = NodeSettings.Load(NodeSettings.Parse(Minimal));
        Assert.Equal(new Member(new NodeId("b"), "host-b.example", 4052), settings.Self);
        Assert.Equal("akka.tcp://recoverkv@host-b.example:4052", settings.Self.Address);
        Assert.Equal(Path.GetFullPath("some folder/b"), settings.Data);
        Assert.Equal(Durability.Full, settings.Durability);
        Assert.False(settings.Chaos);
        Assert.Equal("", settings.ChaosSecret);
        Assert.Equal("WARNING", settings.LogLevel);
        Assert.Equal(4 * 1024 * 1024, settings.FrameSize);
        Assert.Equal("host-b.example", settings.BindHost);
        Assert.Equal(4052, settings.BindPort);
    }

    /// <summary>Each key, with its default as it stands in the file, and another value.</summary>
    public static TheoryData<string, string, string, Func<NodeSettings, object>> Keys => new()
    {
        { "durability", "full", "os", s => s.Durability },
        { "chaos", "off", "on", s => s.Chaos },
        { "on-partition", "consistent", "available", s => Protocol(s).ServesAlone },
        { "grpc.enabled", "off", "on", s => s.Grpc.Enabled },
        { "grpc.host", "localhost", "0.0.0.0", s => s.Grpc.Host },
        { "grpc.port", "50050", "50060", s => s.Grpc.Port },
        { "tls.client-certificates", "required", "optional", s => s.Tls.ClientsNeedCertificates },
        { "log-level", "WARNING", "DEBUG", s => s.LogLevel },
        { "frame-size", "4MiB", "8 MiB", s => s.FrameSize },
        { "bind.host", "", "0.0.0.0", s => s.BindHost },
        { "bind.port", "0", "4000", s => s.BindPort },
        { "lease", "1000ms", "2s", s => Protocol(s).Lease },
        { "heartbeat-interval", "100ms", "0.2s", s => Protocol(s).HeartbeatInterval },
        { "silence-limit", "1000ms", "1 m", s => Protocol(s).SilenceLimit },
        { "election-rank-delay", "80ms", "81ms", s => Protocol(s).ElectionRankDelay },
        { "election-jitter", "80ms", "82ms", s => Protocol(s).ElectionJitter },
        { "campaign-timeout", "1000ms", "1001ms", s => Protocol(s).CampaignTimeout },
        { "resend-interval", "200ms", "201ms", s => Protocol(s).ResendInterval },
        { "fetch-timeout", "1000ms", "1h", s => Protocol(s).FetchTimeout },
        { "limits.key", "1KiB", "2000B", s => Protocol(s).MaxKeyBytes },
        { "limits.value", "1MiB", "0.5MiB", s => Protocol(s).MaxValueBytes },
        { "batch.requests", "512", "1", s => Protocol(s).BatchRequests },
        { "batch.bytes", "256KiB", "1B", s => Protocol(s).BatchBytes },
        { "batch.in-flight", "4", "5", s => Protocol(s).BatchesInFlight },
        { "waiting.requests", "16384", "10", s => Protocol(s).WaitingRequests },
        { "waiting.bytes", "64MiB", "1GiB", s => Protocol(s).WaitingBytes },
        { "waiting.reads", "65536", "11", s => Protocol(s).WaitingReads },
        { "waiting.read-bytes", "64MiB", "1MiB", s => Protocol(s).WaitingReadBytes },
        { "fetch.entries", "2048", "12", s => Protocol(s).FetchEntries },
        { "fetch.bytes", "512KiB", "13KiB", s => Protocol(s).FetchBytes },
        { "fetch.in-flight", "4", "14", s => Protocol(s).FetchesInFlight },
        { "log-memory", "32MiB", "0B", s => Protocol(s).LogBytesInMemory },
        { "log.keep", "64MiB", "0B", s => Protocol(s).LogBytesKept },
        { "quota.memory", "auto", "16MiB", s => Protocol(s).MemoryQuota },
        { "quota.disk", "auto", "64MiB", s => s.Quota.Disk ?? long.MaxValue },
        { "checkpoint.writes", "500000", "1000", s => s.Checkpoint.Writes },
        { "checkpoint.bytes", "256MiB", "1MiB", s => s.Checkpoint.Bytes },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public void Each_key_is_read(string key, string @default, string other, Func<NodeSettings, object> read)
    {
        var unset = read(With());
        Assert.Equal(@default, NodeSettings.Reference.GetString($"recoverkv.{key}"));
        Assert.Equal(unset, read(With($"{key} = \"{(@default.Length == 0 ? "host-b.example" : @default)}\"")));
        Assert.NotEqual(unset, read(With($"{key} = \"{other}\"")));
    }

    [Fact]
    public void The_keys_above_are_all_that_there_are() => Assert.Equal(
        Leaves(NodeSettings.Reference.GetValue("recoverkv"), "").Order(),
        Keys.Select(k => (string)k[0]).Concat(["node", "members", "data", "secret", "chaos-secret", "grpc.servers",
            "grpc.tls", "tls.mode", "tls.certificate", "tls.key", "tls.authority"]).Order());

    [Fact]
    public void The_servers_of_grpc_are_those_given_or_else_the_members()
    {
        Assert.Equal(With().Members, With().Grpc.Servers);
        Assert.Equal(
            ["a@localhost:50051", "b@localhost:50052", "a@127.0.0.1:50051"],
            With("grpc.servers = [\"a@localhost:50051\", \"b@localhost:50052\", \"a@127.0.0.1:50051\"]")
                .Grpc.Servers.Select(s => s.ToString()));
    }

    [Theory]
    [InlineData("16MiB", "1KiB", "6MiB")]
    [InlineData("4MiB", "64KiB", "2007KiB")]
    [InlineData("64KiB", "1KiB", "23KiB")]
    public void A_put_of_the_largest_key_and_value_fits_a_write_and_two_of_its_values_a_frame(
        string frame, string key, string value)
    {
        var settings = With($"""
            frame-size = {frame}
            limits.key = {key}
            limits.value = {value}
            batch.bytes = 16KiB
            fetch.bytes = 16KiB
            """);
        var options = Protocol(settings);
        var put = WriteRequestCodec.Create(long.MaxValue, long.MaxValue, long.MaxValue,
            [new(OperationKind.Put, new byte[options.MaxKeyBytes], new byte[options.MaxValueBytes], long.MaxValue)]);
        Assert.InRange(put.Encoded.Length, 1, options.MaxRequestBytes);
        Assert.InRange(options.MaxRequestBytes, 1, settings.FrameSize - ClientLimits.FrameOverhead);
        Assert.InRange(options.MaxValueBytes + 128, 1, options.AnswerBytes);
    }

    [Theory]
    [InlineData(
        "\"\"",
        "recoverkv.secret is \"\": 16 to 1024 characters that nobody can guess are wanted, the same on all nodes")]
    [InlineData("abc", "recoverkv.secret is a text of 3 characters: 16 to 1024")]
    public void A_secret_that_is_none_is_refused_and_not_repeated(string secret, string what) => Assert.StartsWith(
        what, Assert.Throws<InvalidSettingsException>(() => With($"secret = {secret}")).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("\"b@10.0.0.1:4051\"")]
    [InlineData("\"a@127.0.0.1:4051\", \"b@[::1]:4052\", \"c@LOCALHOST:4053\"")]
    public void Where_nobody_else_reaches_the_nodes_none_is_needed(string members) =>
        Assert.Empty(With($"members = [{members}]\nsecret = \"\"").Secret);

    [Fact]
    public void The_secret_of_chaos_is_read() => Assert.Equal("a b", With("chaos-secret = \"a b\"").ChaosSecret);

    [Theory]
    [InlineData("", "recoverkv is missing")]
    [InlineData("recoverkv = 1", "recoverkv is", "block")]
    [InlineData(
        "recoverkv { members = [\"a@h:1\"], data = x }", "recoverkv.node is empty: the id of this node is wanted")]
    [InlineData("recoverkv { node = a, data = x }", "recoverkv.members is a list of 0: 1 to 9 nodes are wanted")]
    [InlineData("recoverkv { node = a, members = [\"a@h:1\"] }", "recoverkv.data is empty: the folder")]
    public void What_must_be_there_is_asked_for(string hocon, params string[] says) => Refused(hocon, says);

    [Theory]
    [InlineData("node = d", "recoverkv.node is \"d\"", "one of a, b, c")]
    [InlineData("node { x = 1 }", "recoverkv.node is a block", "a single value")]
    [InlineData("members = a", "recoverkv.members", "a list of \"id@host:port\"")]
    [InlineData("members = [\"b\"]", "recoverkv.members is a list with \"b\"", "id@host:port")]
    [InlineData("members = [\"b@h\"]", "\"b@h\"")]
    [InlineData("members = [\"b@h:0\"]", "\"b@h:0\"")]
    [InlineData("members = [\"b@h:65536\"]", "\"b@h:65536\"")]
    [InlineData("members = [\"b@:1\"]", "\"b@:1\"")]
    [InlineData("members = [\"b@[::1:1\"]", "\"b@[::1:1\"")]
    [InlineData("members = [\"b c@h:1\"]", "\"b c@h:1\"", "letters, digits, - and _")]
    [InlineData("members = [\"@h:1\"]", "\"@h:1\"")]
    [InlineData("members = [\"a123456789012345678901234567890123@h:1\"]", "of up to 32")]
    [InlineData("members = [\"b@h:1\", \"b@h:2\"]", "recoverkv.members is a list with b in it twice")]
    [InlineData("members = [\"b@h:1\", \"c@H:1\"]", "b and c need addresses of their own")]
    [InlineData(
        "members = [\"b@h:1\",\"1@h:2\",\"2@h:3\",\"3@h:4\",\"4@h:5\","
        + "\"5@h:6\",\"6@h:7\",\"7@h:8\",\"8@h:9\",\"9@h:10\"]",
        "a list of 10: 1 to 9")]
    [InlineData("nodes = 3", "recoverkv.nodes is no setting", "members")]
    [InlineData("batch.size = 3", "recoverkv.batch.size is no setting: known there are requests, bytes, in-flight")]
    [InlineData("batch = 3", "recoverkv.batch is \"3\": a block")]
    [InlineData("durability = none", "recoverkv.durability is \"none\": one of full, os is wanted")]
    [InlineData("durability = Full", "recoverkv.durability is \"Full\"")]
    [InlineData("chaos = true", "recoverkv.chaos is \"true\": one of on, off is wanted")]
    [InlineData("log-level = LOUD", "recoverkv.log-level is \"LOUD\"", "DEBUG, INFO, WARNING, ERROR, OFF")]
    [InlineData("frame-size = 1KiB", "recoverkv.frame-size is \"1KiB\": a size from 64KiB to 64MiB is wanted")]
    [InlineData("frame-size = 4194304", "recoverkv.frame-size is \"4194304\"", "such as 64KiB")]
    [InlineData("frame-size = 1MiB", "recoverkv.limits.value is \"1MiB\": a size from 1B to ")]
    [InlineData("limits.value = 3MiB", "recoverkv.limits.value is \"3MiB\": a size from 1B to ")]
    [InlineData("limits.value = 0B", "recoverkv.limits.value is \"0B\"")]
    [InlineData("limits.key = 1MiB", "recoverkv.limits.key is \"1MiB\": a size from 1B to 64KiB is wanted")]
    [InlineData("batch.bytes = 4MiB", "recoverkv.batch.bytes is \"4MiB\"")]
    [InlineData("batch.requests = 65536\nbatch.bytes = 3800KiB", "recoverkv.batch.bytes is \"3800KiB\"")]
    [InlineData("fetch.bytes = 4MiB", "recoverkv.fetch.bytes is \"4MiB\"")]
    [InlineData("batch.requests = 0", "recoverkv.batch.requests is \"0\": a number from 1 to 65536 is wanted")]
    [InlineData("batch.requests = 1.5", "recoverkv.batch.requests is \"1.5\"")]
    [InlineData("batch.requests = many", "recoverkv.batch.requests is \"many\"")]
    [InlineData("batch.requests = []", "recoverkv.batch.requests is a list")]
    [InlineData("lease = 1", "recoverkv.lease is \"1\": a duration from 1ms to 1h is wanted, such as 200ms or 2s")]
    [InlineData("lease = -1s", "recoverkv.lease is \"-1s\"")]
    [InlineData("lease = 0ms", "recoverkv.lease is \"0ms\"")]
    [InlineData("lease = soon", "recoverkv.lease is \"soon\"")]
    [InlineData("lease = 2h", "recoverkv.lease is \"2h\"")]
    [InlineData(
        "lease = 200ms", "recoverkv.lease is 200ms: at least 3 times recoverkv.heartbeat-interval = 100ms is wanted")]
    [InlineData(
        "silence-limit = 150ms", "recoverkv.silence-limit is 150ms: at least twice recoverkv.heartbeat-interval")]
    [InlineData("bind.host = \"a b\"", "recoverkv.bind.host is \"a b\"")]
    [InlineData("grpc.host = \"a b\"", "recoverkv.grpc.host is \"a b\"")]
    [InlineData("grpc.port = 0", "recoverkv.grpc.port is \"0\": a number from 1 to 65535 is wanted")]
    [InlineData("grpc.servers = a", "recoverkv.grpc.servers", "a list of \"id@host:port\" is wanted")]
    [InlineData("grpc.servers = [\"a=h:1\"]", "recoverkv.grpc.servers is a list with \"a=h:1\"", "id@host:port")]
    [InlineData("grpc.servers = [\"d@h:1\"]", "recoverkv.grpc.servers is a list with d: one of a, b, c is wanted")]
    [InlineData("grpc.servers = [\"a@h:1\", \"b@H:1\"]", "recoverkv.grpc.servers is a list with H:1 in it twice")]
    [InlineData("bind.port = 70000", "recoverkv.bind.port is \"70000\": a number from 0 to 65535 is wanted")]
    public void What_makes_no_sense_is_refused_in_one_line(string line, params string[] says) =>
        Refused($"{Minimal}\nrecoverkv {{\n{line}\n}}", says);

    [Theory]
    [InlineData("recoverkv {", "Line 1", "'{' here is never closed")]
    [InlineData("recoverkv {\n node = [\n}", "Line 3", "'}' here does not close the '[' of line 2")]
    [InlineData("recoverkv { node = [ }", "Line 1")]
    [InlineData("}", "Line 1", "'}' here closes nothing")]
    [InlineData("a = \"x\nb = 1", "Line 1", "a text in quotes does not end")]
    [InlineData("a = \"x\\\"", "Line 1", "a text in quotes never ends")]
    [InlineData("\n\na = \"\"\"x\n\"", "Line 3", "a text in quotes never ends")]
    [InlineData("a = 1 b = 2", "Line 1", "one key per line")]
    [InlineData("# [{\n// [{\nrecoverkv { members = [b@h:1] }", "Line 3", "'@' must stand in quotes")]
    [InlineData("recoverkv { members = [h:1] }", "Line 1", "':' in a list must stand in quotes")]
    [InlineData("recoverkv { data = C:/x }", "Line 1", "quotes around values with ':'")]
    [InlineData("a = ${b", "Line 1", "'}' is missing")]
    [InlineData("a = ${b}", "This is not HOCON", "b")]
    [InlineData("a = ${a}", "Line 1", "the substitution of a leads back to itself")]
    [InlineData("recoverkv {\n node = ${b}\n}\nb = ${c}\nc = ${b}", "Line 2", "leads back to itself")]
    [InlineData("b = ${c}\nc = ${b}\nd = ${b.x}", "Line 1", "leads back to itself")]
    [InlineData("a {\n b = ${a}\n}", "Line 2", "leads back to itself")]
    [InlineData("a {\n b = [\n ${?a.\"b\"}\n ]\n}", "Line 3", "leads back to itself")]
    [InlineData(
        "a = ${b}${b}\nb = ${c}${c}\nc = ${d}${d}\nd = ${e}${e}\ne = ${f}${f}\nf = ${g}${g}\ng = x",
        "Line 1", "more than 100")]
    [InlineData("include \"x\"", "there is no include")]
    [InlineData("recoverkv {\n include \"x\"\n}", "there is no include")]
    [InlineData("recoverkv {\n node = \"a\0b\"\n}", "Line 2", "a character of the code 0")]
    [InlineData("recoverkv {\n node = a\u0001b\n}", "Line 2", "a character of the code 1")]
    [InlineData("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1", "Line 1", "a key of more than 20 parts")]
    public void What_is_no_hocon_is_refused_with_the_name_of_the_file_and_the_line(string text, params string[] says)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("n.conf");
        File.WriteAllText(file, text);
        var error = Assert.Throws<InvalidSettingsException>(() => NodeSettings.LoadFile(file));
        Assert.StartsWith(file, error.Message, StringComparison.Ordinal);
        Assert.All(says, s => Assert.Contains(s, error.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("{a ", "}", "more than 32 blocks or lists within each other")]
    [InlineData("[", "]", "more than 32 blocks or lists within each other")]
    [InlineData("x = 1\n", "", "longer than 256KiB")]
    [InlineData(",", "", "This is not HOCON")]
    public void What_goes_on_and_on_is_refused_in_a_short_line(string repeated, string end, string says)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("n.conf");
        var count = 262_000 / (repeated.Length + end.Length) * (repeated == "x = 1\n" ? 2 : 1);
        File.WriteAllText(
            file, string.Concat(Enumerable.Repeat(repeated, count)) + string.Concat(Enumerable.Repeat(end, count)));
        var error = Assert.Throws<InvalidSettingsException>(() => NodeSettings.LoadFile(file));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 1, 1000);
    }

    [Fact]
    public void A_data_folder_that_no_journal_can_be_in_is_refused()
    {
        Refused(
            $"{Minimal}\nrecoverkv.data = \"/{string.Concat(Enumerable.Repeat("long/", 240))}\"",
            ["recoverkv.data", "at most 450"]);
        Refused($"{Minimal}\nrecoverkv.data = \"/x\\u0000y\"", ["recoverkv.data", "NUL"]);
    }

    [Fact]
    public void A_file_of_other_bytes_is_no_configuration()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("n.conf");
        File.WriteAllBytes(file, [0xFF, 0xFE, (byte)'a']);
        var error = Assert.Throws<InvalidSettingsException>(() => NodeSettings.LoadFile(file));
        Assert.Contains("no text in UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_may_use_a_value_of_its_own_several_times() =>
        Assert.Equal("/x/y/node1", NodeSettings.Load(NodeSettings.Parse(
            Minimal + "\nroot = /x\nplace = ${root}/y\n"
            + "recoverkv {\n data = ${place}/node1\n chaos-secret = ${place}\n}")).Data);

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        var error = Assert.Throws<InvalidSettingsException>(() => NodeSettings.LoadFile("/no/such.conf"));
        Assert.Contains("/no/such.conf", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_setting_is_a_failure_to_start() =>
        Assert.IsAssignableFrom<NodeFailedException>(new InvalidSettingsException(""));

    private static ProtocolOptions Protocol(NodeSettings settings) => settings.ProtocolOptions(Guid.Empty, 1, 1);

    private static NodeSettings With(string line = "") =>
        NodeSettings.Load(NodeSettings.Parse($"{Minimal}\nrecoverkv {{\n{line}\n}}"));

    private static void Refused(string hocon, string[] says)
    {
        var error = Assert.Throws<InvalidSettingsException>(
            () => NodeSettings.Load(NodeSettings.Parse(hocon)));
        Assert.All(says, s => Assert.Contains(s, error.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', error.Message);
    }

    private static IEnumerable<string> Leaves(Akka.Configuration.Hocon.HoconValue value, string path) =>
        value.IsObject()
            ? value.GetObject().Items.SelectMany(i => Leaves(i.Value, path.Length == 0 ? i.Key : $"{path}.{i.Key}"))
            : [path];
}
