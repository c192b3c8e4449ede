using System.CommandLine;
using RecoverKV.Actors.Configuration;
using RecoverKV.Client.Network;
using RecoverKV.Host.Certificates;

namespace RecoverKV.Host.Commands;

/// <summary><c>certs DIR [--node ID@HOST ...] [--client NAME ...] [--days N]</c></summary>
internal static class CertsCommand
{
    private static readonly string[] LocalNodes = ["node1@localhost", "node2@localhost", "node3@localhost"];

    public static Command Create(Terminal terminal)
    {
        var folder = Arguments.NeverEmpty(new Argument<string>("DIR")
        {
            Description = "The folder: an authority that is there signs; else one is made.",
        });
        var nodes = new Option<string[]>("--node")
        {
            Description = "A node's id and a host name or address at which it is reached; may be given several times, "
                + $"also for one node. Default, if no client is named either: {string.Join(", ", LocalNodes)}. "
                + "All are good for localhost, too.",
            HelpName = "ID@HOST",
        };
        var clients = new Option<string[]>("--client")
        {
            Description = "The name of a client; may be given several times. "
                + $"Default, if no node is named either: {CertificateFolder.Client}.",
            HelpName = "NAME",
        };
        var days = Arguments.Number("--days", 365, 1, 3650, "How many days the certificates are good.");
        var command = new Command("certs",
            "Make an authority and certificates of nodes and clients, for recoverkv.tls and --cacert, --cert, --key. "
            + "What is there is exchanged, but for the authority.")
        {
            folder, nodes, clients, days,
        };
        command.SetAction(parsed =>
        {
            var (given, others) = (parsed.GetValue(nodes) ?? [], parsed.GetValue(clients) ?? []);
            // Who wants one client more does not want other nodes.
            var isAny = given.Length > 0 || others.Length > 0;
            var wanted = isAny ? given : LocalNodes;
            var hosts = wanted.Select(Parse).ToLookup(n => n.Node, n => n.Host);
            string[] names = isAny ? others : [CertificateFolder.Client];
            foreach (var name in names)
            {
                if (!Member.IsNodeId(name) || hosts.Contains(name) || name == "authority")
                    throw new UsageException(
                        $"--client \"{name}\": letters, digits, - and _ are wanted, at most 32, "
                        + "and no name of a node or of the authority");
            }

            var made = CertificateFolder.Open(parsed.GetRequiredValue(folder));
            foreach (var node in hosts)
            {
                made.MakeNode(node.Key, node, parsed.GetValue(days));
                terminal.Out.WriteLine($"{made.Certificate(node.Key)}");
            }

            foreach (var name in names)
            {
                made.MakeClient(name, parsed.GetValue(days));
                terminal.Out.WriteLine($"{made.Certificate(name)}");
            }

            terminal.Out.WriteLine(made.Authority);
            return ExitCode.Done;
        });
        return command;
    }

    private static (string Node, string Host) Parse(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var (node, host) = at < 0 ? (text, "localhost") : (text[..at], text[(at + 1)..]);
        return Member.IsNodeId(node) && node != "authority" && Hosts.Normalize(host, bare: true) is { } normal
            ? (node, Hosts.Bare(normal))
            : throw new UsageException(
                $"--node \"{text}\": ID@HOST is wanted, the host a name or an address without a port");
    }
}
