using System.CommandLine;
using System.Security.Cryptography;
using RecoverKV.Host.Grpc;
using RecoverKV.Host.LocalCluster;

namespace RecoverKV.Host.Commands;

/// <summary><c>up [--nodes N] [--data DIR] [--fresh] [--tls] [--grpc-port N] [--no-grpc]</c></summary>
internal static class UpCommand
{
    /// <summary>The gRPC endpoint of the original has 50050 and above; these are far from them.</summary>
    private const int DefaultPort = 4051;

    public static Command Create(Terminal terminal)
    {
        var nodes = Arguments.Number("--nodes", 3, 1, 9, "How many nodes, fixed when the data folder is made.");
        var data = Arguments.NeverEmpty(new Option<string>("--data")
        {
            Description = "The folder that holds a folder per node.",
            HelpName = "DIR",
            DefaultValueFactory = _ => "data",
        });
        var port = Arguments.Number(
            "--port", DefaultPort, 1, 65_000, "The port of node1 on loopback; the others follow.");
        var fresh = new Option<bool>("--fresh")
        {
            Description = "Begin empty: delete the node folders in --data first.",
        };
        var chaos = new Option<bool>("--chaos") { Description = "Let `stop` and `partition` through (for tests)." };
        var tls = new Option<bool>("--tls")
        {
            Description = "Encrypt the connections of the nodes, by certificates that are made in DIR/tls; the first "
                + "line says how clients reach them. The gRPC endpoint on localhost stays without.",
        };
        var grpcPort = Arguments.Number(
            "--grpc-port", GrpcOptions.DefaultPort, 0, 65_535,
            "The port on localhost that the original's clients are served at; 0: none. The default goes with the "
            + "default of --port: with another one, there is none.");
        var noGrpc = new Option<bool>("--no-grpc") { Description = "Do not serve the original's clients." };
        var settings = SettingsOption.Create();
        var command = new Command("up", "Run a local cluster: a process per node, restarted whenever it dies.")
        {
            nodes, data, port, fresh, chaos, tls, grpcPort, noGrpc, settings,
        };
        command.SetAction((parsed, _) =>
        {
            var endpoint = GrpcPort(parsed, port, grpcPort, noGrpc);
            var options = new LocalClusterOptions
            {
                Nodes = parsed.GetValue(nodes),
                Data = parsed.GetRequiredValue(data),
                Port = parsed.GetValue(port),
                Fresh = parsed.GetValue(fresh),
                Chaos = parsed.GetValue(chaos),
                GrpcPort = endpoint,
                // For the endpoint's orders.
                ChaosSecret = endpoint > 0 ? RandomNumberGenerator.GetHexString(32) : "",
                Settings = parsed.GetValue(settings) ?? [],
            };
            return Runner.RunAsync(terminal, parsed.GetValue(tls) ? options.WithTls() : options);
        });
        return command;
    }

    /// <summary>Several clusters side by side differ in --port; only one of them can have the endpoint.</summary>
    private static int GrpcPort(ParseResult parsed, Option<int> port, Option<int> grpcPort, Option<bool> noGrpc)
    {
        var given = parsed.GetResult(grpcPort) is { Implicit: false };
        return parsed.GetValue(noGrpc) || !given && parsed.GetValue(port) != DefaultPort
            ? 0
            : parsed.GetValue(grpcPort);
    }
}
