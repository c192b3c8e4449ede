using RecoverKV.Actors.Configuration;
using RecoverKV.Host;
using RecoverKV.Host.LocalCluster;

namespace RecoverKV.Specs.Host;

public sealed class NodeConfigSpecs : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("recoverkv { node = [ \n", "line 1: [ is not closed")]
    [InlineData("recoverkv {\n node = a\n", "line 1: { is not closed")]
    [InlineData("recoverkv {\n node = a\n}\n}", "line 4: } closes nothing")]
    [InlineData("recoverkv {\n members = [\n}\n", "line 3: } cannot close the [ of line 2")]
    [InlineData("# \" {\n// [ \"\nrecoverkv {\n node = \"a\n}", "line 4: a quote is not closed")]
    [InlineData("recoverkv {\n node = \"\"\"a\n }", "line 2: a quote is not closed")]
    [InlineData("recoverkv { a = 1 b=2 }", "Could not parse")]
    [InlineData("", "has no section recoverkv")]
    public void A_malformed_file_is_refused_with_what_is_wrong(string text, string error)
    {
        File.WriteAllText(_file, text);
        var failure = Assert.Throws<UsageException>(() => NodeConfig.Load(_file, []));
        Assert.Contains(_file, failure.Message, StringComparison.Ordinal);
        Assert.Contains(error, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a = \"{\" # [\n")]
    [InlineData("a = \"\\\"{\"\nb { c = [1, 2] }")]
    [InlineData("a = \"\"\"{ \" \n\"\"\"\n")]
    [InlineData("a = \"akka.tcp://x\"\n")]
    public void Brackets_in_strings_and_comments_count_for_nothing(string text) =>
        Assert.Null(HoconBrackets.Check(text));

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
        var settings = NodeSettings.Load(NodeConfig.Load(_file,
        [
            "recoverkv.durability=os", "recoverkv.bind.host = 0.0.0.0",
            "recoverkv.members=[\"node1@10.0.0.1:4051\", \"node2@10.0.0.2:4051\"]", "akka.stdout-loglevel=OFF",
        ]));
        Assert.Equal(Durability.Os, settings.Durability);
        Assert.Equal("0.0.0.0", settings.BindHost);
        Assert.Equal(["node1", "node2"], settings.Members.Select(m => m.Node.Name));
        Assert.Equal("INFO", settings.AkkaOverrides.GetString("akka.loglevel"));
        Assert.Equal("OFF", settings.AkkaOverrides.GetString("akka.stdout-loglevel"));
    }

    [Fact]
    public void What_up_writes_is_what_a_node_reads()
    {
        var options = new LocalClusterOptions { Nodes = 3, Port = 4051, Data = "/tmp/with \"quotes\" and \\ and é" };
        var nodes = options.Plan();
        File.WriteAllText(_file, NodeConfigFile.Text(nodes[1], nodes, chaos: true));
        var settings = NodeSettings.Load(NodeConfig.Load(_file, []));
        Assert.Equal("node2", settings.Self.Node.Name);
        Assert.Equal(
            ["node1@127.0.0.1:4051", "node2@127.0.0.1:4052", "node3@127.0.0.1:4053"],
            settings.Members.Select(m => $"{m.Node}@{m.Host}:{m.Port}"));
        Assert.Equal(nodes[1].Folder, settings.Data);
        Assert.Equal(("127.0.0.1", 4052), (settings.BindHost, settings.BindPort));
        Assert.True(settings.Chaos);
    }

    [Fact]
    public void The_configuration_of_the_image_is_one_that_a_node_takes()
    {
        var file = Path.Combine(Root(AppContext.BaseDirectory), "docker", "node.conf");
        var settings = NodeSettings.Load(NodeConfig.Load(file, ["recoverkv.node=node3"]));
        Assert.Equal(("node3", 4051), (settings.Self.Host, settings.Self.Port));
        Assert.Equal("0.0.0.0", settings.BindHost);
        Assert.Equal("/data", settings.Data);
    }

    private static string Root(string folder) =>
        File.Exists(Path.Combine(folder, "RecoverKV.sln")) ? folder : Root(Directory.GetParent(folder)!.FullName);
}
