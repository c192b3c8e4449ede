using Akka.Configuration;
using Akka.Event;
using RecoverKV.Actors.Configuration;

namespace RecoverKV.Specs.Configuration;

public class AkkaConfigSpec
{
    private static readonly string Hocon = Path.Combine(Repository.Root, "hocon");

    [Fact]
    public void A_user_may_override_any_key_of_Akka()
    {
        var config = AkkaConfig.Of(Load("""
            akka.remote.retry-gate-closed-for = 7s
            akka.loggers = []
            """));
        Assert.Equal(TimeSpan.FromSeconds(7), config.GetTimeSpan("akka.remote.retry-gate-closed-for"));
        Assert.Empty(config.GetStringList("akka.loggers"));
        Assert.Equal("cluster", config.GetString("akka.actor.provider"));
    }

    [Fact]
    public void Listening_and_public_address_may_differ()
    {
        var tcp = AkkaConfig.Of(Load("""
            recoverkv.bind.host = "0.0.0.0"
            recoverkv.tls.mode = off
            recoverkv.bind.port = 5000
            """)).GetConfig("akka.remote.dot-netty.tcp");
        Assert.Equal(
            ("0.0.0.0", 5000, "127.0.0.1", 4051),
            (tcp.GetString("hostname"), tcp.GetInt("port"),
                tcp.GetString("public-hostname"), tcp.GetInt("public-port")));
    }

    [Fact]
    public void Nobody_is_downed_by_Akka() =>
        Assert.Equal("", AkkaConfig.Of(Load("")).GetString("akka.cluster.downing-provider-class"));

    [Fact]
    public void The_reference_is_the_file_that_users_see() => Assert.Equal(
        ConfigurationFactory.ParseString(File.ReadAllText(Path.Combine(Hocon, "reference.conf"))).ToString(),
        NodeSettings.Reference.ToString());

    [Fact]
    public void Every_configuration_of_a_node_loads_and_listens_on_loopback()
    {
        var files = Directory.GetFiles(Hocon, "*node*.conf");
        Assert.Equal(4, files.Length);
        var all = files.Select(NodeSettings.LoadFile).ToList();
        Assert.All(all, s => Assert.Equal("127.0.0.1", s.BindHost));
        var local = all.Where(s => s.Members.Count == 3).ToList();
        Assert.Equal(3, local.Count);
        Assert.All(local, s => Assert.Equal(local[0].Members, s.Members));
        Assert.Equal(3, local.Select(s => s.Self).Distinct().Count());
        Assert.Equal(4, all.Select(s => s.Data).Distinct().Count());
    }

    [Fact]
    public void A_log_event_is_one_line()
    {
        var cause = new InvalidOperationException("outer\nline", new IOException("inner"));
        var line = StderrLogger.Line(new Error(cause, "source", typeof(AkkaConfigSpec), "text\r\nmore"));
        Assert.EndsWith(
            "ERROR AkkaConfigSpec: text more <- InvalidOperationException: outer line <- IOException: inner", line,
            StringComparison.Ordinal);
    }

    private static NodeSettings Load(string more) => NodeSettings.Load(NodeSettings.Parse($$"""
        recoverkv {
          node = a
          members = ["a@127.0.0.1:4051"]
          data = x
        }
        {{more}}
        """));
}
