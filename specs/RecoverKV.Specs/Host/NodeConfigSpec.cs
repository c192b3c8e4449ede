using RecoverKV.Actors.Configuration;
using RecoverKV.Host;
using RecoverKV.Host.LocalCluster;

namespace RecoverKV.Specs.Host;

public sealed class NodeConfigSpec : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("recoverkv { node = [ \n", "Line 1")]
    [InlineData("recoverkv {\n node = a\n", "Line 1")]
    [InlineData("recoverkv {\n node = \"a\n}", "Line 2")]
    [InlineData("recoverkv { a = 1 b=2 }", "Line 1")]
    [InlineData("", "recoverkv is missing")]
    [InlineData("recoverkv { node = a\n members = [\"b@127.0.0.1:1\"] }", "recoverkv.node is \"a\"")]
    public void A_wrong_file_is_refused_with_its_name_and_what_is_wrong(string text, string error)
    {
        File.WriteAllText(_file, text);
        var failure = Assert.Throws<InvalidSettingsException>(() => NodeConfig.Load(_file, []));
        Assert.StartsWith($"{_file}: {error}", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("recoverkv.members=[\"a")]
    [InlineData("=1")]
    [InlineData("a b=1")]
    [InlineData("a")]
    public void A_wrong_setting_of_the_command_line_is_refused(string setting) =>
        Assert.Throws<UsageException>(() => NodeConfig.ParseSetting(setting));

    [Fact]
    public void Settings_of_the_command_line_stand_above_the_file()
    {
        File.WriteAllText(_file, """
            recoverkv {
              node = node1
              members = ["node1@127.0.0.1:1"]
              data = "/tmp/x"
              durability = full
            }
            akka.loglevel = INFO
            """);
        var settings = NodeConfig.Load(_file,
        [
            "recoverkv.durability=os", "recoverkv.bind.host = 0.0.0.0", "recoverkv.tls.mode=off",
            "recoverkv.members=[\"node1@10.0.0.1:4051\", \"node2@10.0.0.2:4051\"]", "recoverkv.secret=0123456789abcdef",
            "akka.stdout-loglevel=OFF",
        ]);
        Assert.Equal(Durability.Os, settings.Durability);
        Assert.Equal("0.0.0.0", settings.BindHost);
        Assert.Equal(["node1", "node2"], settings.Members.Select(m => m.Node.Name));
        Assert.Equal("INFO", settings.AkkaOverrides.GetString("akka.loglevel"));
        Assert.Equal("OFF", settings.AkkaOverrides.GetString("akka.stdout-loglevel"));
    }

    [Fact]
    public void What_up_writes_is_what_a_node_reads()
    {
        var options = new LocalClusterOptions
        {
            Chaos = true,
            Nodes = 3,
            Port = 4051,
            Data = "/tmp/with \"quotes\" and \\ and é"
        };
        var nodes = options.Plan();
        File.WriteAllText(_file, NodeConfigFile.Text(nodes[1], nodes, options));
        var settings = NodeConfig.Load(_file, []);
        Assert.Equal("node2", settings.Self.Node.Name);
        Assert.Equal(
            ["node1@127.0.0.1:4051", "node2@127.0.0.1:4052", "node3@127.0.0.1:4053"],
            settings.Members.Select(m => $"{m.Node}@{m.Host}:{m.Port}"));
        Assert.Equal(nodes[1].Folder, settings.Data);
        Assert.Equal(("127.0.0.1", 4052), (settings.BindHost, settings.BindPort));
        Assert.True(settings.Chaos);
        Assert.Equal(options.Secret, settings.Secret);
        Assert.NotEqual(options.Secret, new LocalClusterOptions { Nodes = 3, Port = 4051, Data = "" }.Secret);
    }

    [Fact]
    public void The_configuration_of_the_image_is_one_that_a_node_takes()
    {
        var file = Path.Combine(Root(AppContext.BaseDirectory), "docker", "node.conf");
        var failure = Assert.Throws<InvalidSettingsException>(() => NodeConfig.Load(file, ["recoverkv.node=node3"]));
        Assert.Contains("recoverkv.secret is \"\": 16 to 1024", failure.Message, StringComparison.Ordinal);
        var settings = NodeConfig.Load(file, ["recoverkv.node=node3", "recoverkv.secret=0123456789abcdef"]);
        Assert.Equal(("node3", 4051), (settings.Self.Host, settings.Self.Port));
        Assert.Equal("0.0.0.0", settings.BindHost);
        Assert.Equal("/data", settings.Data);
    }

    private static string Root(string folder) =>
        File.Exists(Path.Combine(folder, "RecoverKV.sln")) ? folder : Root(Directory.GetParent(folder)!.FullName);
}
