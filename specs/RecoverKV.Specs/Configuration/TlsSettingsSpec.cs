using System.Security.Cryptography;
using RecoverKV.Actors.Configuration;
using RecoverKV.Specs.Network;

namespace RecoverKV.Specs.Configuration;

/// <summary>What a node says to settings of TLS, and to files, that cannot work.</summary>
public sealed class TlsSettingsSpec : IDisposable
{
    private readonly TestCertificates _certificates = new("a", "b");

    public void Dispose() => _certificates.Dispose();

    [Theory]
    [InlineData("10.0.0.1", "")]
    [InlineData("host.example", "")]
    [InlineData("127.0.0.1", "bind.host = 0.0.0.0")]
    [InlineData("127.0.0.1", "bind.host = \"::\"")]
    public void A_node_that_others_can_reach_does_without_TLS_only_if_that_is_said(string host, string more)
    {
        Refused("recoverkv.tls.mode is empty", host, more);
        Refused("recoverkv.tls.mode is empty", host, $"{more}\ntls.mode = \"\"");
        Assert.False(Load(host, $"{more}\ntls.mode = off").Tls.On);
    }

    [Theory]
    [InlineData("127.0.0.1", "")]
    [InlineData("localhost", "")]
    [InlineData("[::1]", "")]
    [InlineData("10.0.0.1", "bind.host = 127.0.0.1")]
    public void On_loopback_it_need_not_be_said(string host, string more) => Assert.False(Load(host, more).Tls.On);

    [Fact]
    public void With_certificates_no_secret_is_needed()
    {
        var settings = Load("10.0.0.1", _certificates.Settings("a"), secret: "");
        Assert.True(settings.Tls is { On: true, ClientsNeedCertificates: true });
        Assert.Empty(settings.Secret);
        Assert.False(Load("10.0.0.1", _certificates.Settings("a", "optional")).Tls.ClientsNeedCertificates);
    }

    [Theory]
    [InlineData("mode", "yes", "recoverkv.tls.mode is \"yes\": one of on, off is wanted")]
    [InlineData("client-certificates", "none", "recoverkv.tls.client-certificates is \"none\"")]
    [InlineData(
        "certificate", "", "recoverkv.tls.certificate is empty: the file with the node's certificate is wanted")]
    [InlineData(
        "certificate", "/no/such.pem", "recoverkv.tls.certificate is \"/no/such.pem\": a file in PEM is wanted")]
    [InlineData("certificate", "/", "recoverkv.tls.certificate is \"/\": a file in PEM is wanted")]
    [InlineData("key", "", "recoverkv.tls.key is empty")]
    [InlineData("key", "/no/such.key", "recoverkv.tls.key is \"/no/such.key\": a file in PEM is wanted")]
    [InlineData("authority", "", "recoverkv.tls.authority is empty")]
    [InlineData("authority", "/no/such.pem", "recoverkv.tls.authority is \"/no/such.pem\"")]
    public void What_is_missing_is_named_with_its_key(string key, string value, string what) =>
        Refused(what, "10.0.0.1", $"{_certificates.Settings("a")}\ntls.{key} = \"{value}\"");

    [Theory]
    [InlineData(
        "b", "b", "recoverkv.tls.certificate is", "it is that of b: the name recoverkv://node/a is wanted in it")]
    [InlineData("client", "client", "recoverkv.tls.certificate is", "it is no node's")]
    [InlineData("expired", "expired", "recoverkv.tls.certificate is", "it has expired on 20")]
    [InlineData("early", "early", "recoverkv.tls.certificate is", "it is good from 20")]
    [InlineData("a", "b", "recoverkv.tls.key is", "the private key, in PEM, of the certificate in ")]
    public void A_certificate_that_is_not_the_nodes_is_refused(string certificate, string key, string what, string why)
    {
        var own = _certificates.Own;
        var files = $"tls.certificate = \"{own.Certificate(certificate)}\"\ntls.key = \"{own.Key(key)}\"";
        var message = Refused(what, "10.0.0.1", $"{_certificates.Settings("a")}\n{files}");
        Assert.Contains(why, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("certificate")]
    [InlineData("key")]
    [InlineData("authority")]
    public void What_is_no_PEM_is_refused(string key)
    {
        var file = _certificates.At("noise.pem");
        foreach (var text in new[]
        {
            "", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", new string('x', 2_000_000)
        })
        {
            File.WriteAllText(file, text);
            Refused(
                $"recoverkv.tls.{key} is \"{file}\"", "10.0.0.1",
                $"{_certificates.Settings("a")}\ntls.{key} = \"{file}\"");
        }

        File.WriteAllBytes(file, RandomNumberGenerator.GetBytes(5000));
        Refused(
            $"recoverkv.tls.{key} is \"{file}\"", "10.0.0.1", $"{_certificates.Settings("a")}\ntls.{key} = \"{file}\"");
    }

    [Fact]
    public void A_key_with_a_password_is_refused()
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(_certificates.Own.Key("a")));
        var file = _certificates.At("locked.key");
        File.WriteAllText(file, key.ExportEncryptedPkcs8PrivateKeyPem(
            "x", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        Assert.Contains(
            "without a password",
            Refused("recoverkv.tls.key is", "10.0.0.1", $"{_certificates.Settings("a")}\ntls.key = \"{file}\""),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "", false, false)]
    [InlineData("localhost", "", true, false)]
    [InlineData("localhost", "on", true, true)]
    [InlineData("0.0.0.0", "", true, true)]
    [InlineData("0.0.0.0", "off", true, false)]
    public void The_endpoint_has_TLS_as_the_node_beyond_loopback(string host, string tls, bool node, bool has)
    {
        var more = $"grpc.enabled = on\ngrpc.host = {host}\ngrpc.tls = \"{tls}\"\n";
        Assert.Equal(has, Load("127.0.0.1", more + (node ? _certificates.Settings("a") : "")).Grpc.Tls);
    }

    [Fact]
    public void An_endpoint_that_others_can_reach_does_without_TLS_only_if_that_is_said()
    {
        const string endpoint = "grpc.enabled = on\ngrpc.host = 0.0.0.0";
        Refused("recoverkv.grpc.tls is empty", "127.0.0.1", endpoint);
        Refused("recoverkv.grpc.tls is on", "127.0.0.1", $"{endpoint}\ngrpc.tls = on");
        Assert.False(Load("127.0.0.1", $"{endpoint}\ngrpc.tls = off").Grpc.Tls);
        Assert.False(Load("127.0.0.1", $"{endpoint}\ntls.mode = off").Grpc.Tls);
        Assert.False(Load("127.0.0.1", "grpc.host = 0.0.0.0").Grpc.Tls);
    }

    private static string Refused(string what, string host, string more)
    {
        var message = Assert.Throws<InvalidSettingsException>(() => Load(host, more)).Message;
        Assert.StartsWith(what, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static NodeSettings Load(string host, string more, string secret = "by which nodes know each other") =>
        NodeSettings.Load(NodeSettings.Parse($$"""
            recoverkv {
              node = a
              members = ["a@{{host}}:4051", "b@127.0.0.1:4052"]
              data = "/x"
              secret = "{{secret}}"
              {{more}}
            }
            """));
}
