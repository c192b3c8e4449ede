using RecoverKV.Actors.Configuration;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>Hosts in members, contact points and settings.</summary>
public sealed class HostsSpec
{
    [Theory]
    [InlineData("node-1.example_x", "node-1.example_x")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("[2001:DB8:0::5]", "[2001:db8::5]")]
    [InlineData("[::ffff:10.0.0.1]", "[::ffff:10.0.0.1]")]
    [InlineData("::1", null)]
    [InlineData("[::1", null)]
    [InlineData("[127.0.0.1]", null)]
    [InlineData("[fe80::1%eth0]", null)]
    [InlineData("[::1]x", null)]
    [InlineData("[]", null)]
    [InlineData("a b", null)]
    [InlineData("", null)]
    public void A_host_has_one_way_to_be_written(string text, string? normal)
    {
        Assert.Equal(normal, Hosts.Normalize(text));
        Assert.Equal(normal is null ? null : $"n1@{normal}:4051", Member.Parse($"n1@{text}:4051")?.ToString());
        if (normal is not null) Assert.Equal(normal, Hosts.Normalize(normal));
    }

    [Theory]
    [InlineData("::", "[::]", "::")]
    [InlineData("0::1", "[::1]", "::1")]
    [InlineData("[::1]", "[::1]", "::1")]
    [InlineData("host", "host", "host")]
    public void Where_no_port_follows_brackets_may_be_left_out(string text, string normal, string bare)
    {
        Assert.Equal(normal, Hosts.Normalize(text, bare: true));
        Assert.Equal(bare, Hosts.Bare(normal));
    }
}
