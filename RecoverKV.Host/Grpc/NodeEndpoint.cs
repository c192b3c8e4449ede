using System.Globalization;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Client;

namespace RecoverKV.Host.Grpc;

/// <summary>The endpoint that a node's own process has, if its settings say so.</summary>
internal static class NodeEndpoint
{
    /// <summary>Listens. In a place of its own: a node without it loads nothing of ASP.NET, and starts as fast as ever.
    /// </summary>
    public static async Task<IAsyncDisposable> StartAsync(NodeSettings settings) =>
        await GrpcEndpoint.StartAsync(new GrpcOptions
        {
            Host = settings.Grpc.Host,
            Port = settings.Grpc.Port,
            PortSetting = "recoverkv.grpc.port",
            // This node knows where the others are, and no other one need be known.
            Contact = [Name(settings.Self)],
            Servers = new ServerNames(settings.Grpc.Servers.Select(s => (Name(s), s.Node.Name))),
            Tls = settings.Tls is { On: true } tls
                ? new TlsOptions { Authority = tls.Authority, Certificate = tls.Certificate, Key = tls.Key }
                : null,
            Credentials = settings.Grpc.Tls ? new NodeCredentials(settings.Tls, settings.Self.Node.Name) : null,
            LongestWrite = settings.LongestWrite,
            Notice = StderrLogger.Lines.Add,
        });

    private static string Name(Member member) =>
        string.Create(CultureInfo.InvariantCulture, $"{member.Host}:{member.Port}");
}
