using System.Security.Cryptography.X509Certificates;
using RecoverKV.Client.Network;
using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

public sealed class CertsSpec : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("recoverkv-certs-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_authority_and_certificates_of_nodes_and_a_client_are_made()
    {
        var (code, output, _) = await RunAsync("certs", Path("made"));
        Assert.Equal(ExitCode.Done, code);
        Assert.Equal(
            ["node1.pem", "node2.pem", "node3.pem", "client.pem", "authority.pem"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => System.IO.Path.GetFileName(l)));
        using var node = X509CertificateLoader.LoadCertificateFromFile(Path("made/node2.pem"));
        foreach (var host in new[] { "localhost", "127.0.0.1", "::1" }) Assert.True(node.MatchesHostname(host));
        Assert.False(node.MatchesHostname("node2"));
        Assert.NotNull(
            Credentials.Load(Path("made/authority.pem"), Path("made/client.pem"), Path("made/client.key")).Certificate);
        if (OperatingSystem.IsWindows()) return;
        foreach (var file in Directory.GetFiles(Path("made"), "*.key"))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task What_is_there_is_exchanged_but_for_the_authority()
    {
        string[] call =
            ["certs", Path("made"), "--node", "a@10.0.0.1", "--node", "a@db.example", "--client", "app", "--days", "7"];
        await RunAsync(call);
        var authority = await File.ReadAllTextAsync(Path("made/authority.pem"));
        var first = await File.ReadAllTextAsync(Path("made/a.pem"));
        await RunAsync(call);
        Assert.Equal(authority, await File.ReadAllTextAsync(Path("made/authority.pem")));
        Assert.NotEqual(first, await File.ReadAllTextAsync(Path("made/a.pem")));
        using var node = X509CertificateLoader.LoadCertificateFromFile(Path("made/a.pem"));
        foreach (var host in new[] { "10.0.0.1", "db.example", "localhost" }) Assert.True(node.MatchesHostname(host));
        Assert.InRange(node.NotAfter - DateTime.Now, TimeSpan.FromDays(6.9), TimeSpan.FromDays(7));
        Assert.Equal(
            ["a.key", "a.pem", "app.key", "app.pem", "authority.key", "authority.pem"],
            Directory.GetFiles(Path("made")).Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("--node", "a b@h", "--node \"a b@h\": ID@HOST is wanted")]
    [InlineData("--node", "a@h:4051", "--node \"a@h:4051\": ID@HOST is wanted")]
    [InlineData("--node", "authority@h", "--node \"authority@h\"")]
    [InlineData("--client", "../x", "--client \"../x\": letters, digits")]
    [InlineData("--client", "authority", "--client \"authority\"")]
    [InlineData("--days", "0", "--days")]
    public async Task A_wrong_word_is_wrong_usage_and_makes_nothing(string option, string word, string what)
    {
        var (code, _, error) = await RunAsync("certs", Path("made"), option, word);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains(what, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path("made")));
    }

    [Fact]
    public async Task A_client_does_not_take_a_nodes_place()
    {
        await RunAsync("certs", Path("made"), "--client", "app");
        Assert.Equal(["app.key", "app.pem", "authority.key", "authority.pem"],
            Directory.GetFiles(Path("made")).Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(ExitCode.Usage, (await RunAsync("certs", Path("made"), "--node", "a", "--client", "a")).Code);
        await RunAsync("certs", Path("made"), "--node", "a");
        var (code, _, error) = await RunAsync("certs", Path("made"), "--client", "a");
        Assert.Equal(ExitCode.NotDone, code);
        Assert.Contains("a.pem is the certificate of a node", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_none_and_half_an_authority_are_one_line()
    {
        await File.WriteAllTextAsync(Path("file"), "");
        var (code, _, error) = await RunAsync("certs", Path("file"));
        Assert.Equal(ExitCode.NotDone, code);
        Assert.StartsWith("recoverkv: certificates in ", error, StringComparison.Ordinal);

        await RunAsync("certs", Path("made"));
        File.Delete(Path("made/authority.key"));
        (code, _, error) = await RunAsync("certs", Path("made"));
        Assert.Equal(ExitCode.NotDone, code);
        Assert.Contains("authority.key", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_s_files_are_checked_and_named_by_their_options()
    {
        await RunAsync("certs", Path("made"));
        var (authority, cert, key) = (Path("made/authority.pem"), Path("made/client.pem"), Path("made/client.key"));
        foreach (var (options, what) in new (string[], string)[]
        {
            (["--cert", cert, "--key", key], "--cert and --key go with --cacert"),
            (["--cacert", authority, "--cert", cert], "--key is missing"),
            (["--cacert", authority, "--key", key], "--cert is missing"),
            (["--cacert", Path("none")], "--cacert \""),
            (["--cacert", key], "--cacert \""),
            (["--cacert", authority, "--cert", cert, "--key", Path("made/node1.key")], "--key \""),
            (["--cacert", authority, "--cert", authority, "--key", key], "--key \""),
        })
        {
            var (code, _, error) = await RunAsync(["get", "x", .. options]);
            Assert.Equal(ExitCode.Usage, code);
            Assert.Contains(what, error, StringComparison.Ordinal);
        }
    }

    private string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] words)
    {
        using var terminal = new TestTerminal();
        var code = await Cli.RunAsync(words, terminal.Terminal);
        return (code, terminal.Output, terminal.Error);
    }
}
