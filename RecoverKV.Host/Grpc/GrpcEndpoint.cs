using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Health.V1;
using Grpc.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace RecoverKV.Host.Grpc;

/// <summary>Serves the clients of the original: HTTP/2, their service, reflection, and the standard service of
/// health.</summary>
internal sealed class GrpcEndpoint : IAsyncDisposable
{
    /// <summary>Room in a message beside its key and value. A larger one is answered with RESOURCE_EXHAUSTED before it
    /// is read.</summary>
    private const int Beside = 4 * 1024;

    private const int MostConnections = 1000, MostCallsOfOne = 100, Window = 128 * 1024;

    // Who sends slower than any line holds memory for so long and no longer (SilentConnections.cs: a connection).
    private static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HeadersLimit = TimeSpan.FromSeconds(10);
    private static readonly MinDataRate SlowestUpload = new(
        bytesPerSecond: 4 * 1024, gracePeriod: TimeSpan.FromSeconds(10));

    private static readonly TimeSpan LastCalls = TimeSpan.FromSeconds(2);

    private readonly WebApplication _server;
    private readonly NodeClient _nodes;
    private int _disposed;

    private GrpcEndpoint(WebApplication server, NodeClient nodes, GrpcOptions options)
    {
        (_server, _nodes) = (server, nodes);
        _ = options.Credentials?.WatchAsync(options.Notice, () => Volatile.Read(ref _disposed) != 0);
    }

    /// <summary>Listens, and looks for the nodes meanwhile.</summary>
    /// <exception cref="CommandFailedException">It cannot listen there.</exception>
    public static async Task<GrpcEndpoint> StartAsync(GrpcOptions options)
    {
        var nodes = new NodeClient(options);
        var server = Build(options, nodes, await ResolveAsync(options));
        try
        {
            await server.StartAsync();
            return new GrpcEndpoint(server, nodes, options);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await server.DisposeAsync();
            await nodes.DisposeAsync();
            var place = string.Create(CultureInfo.InvariantCulture, $"{options.Host}:{options.Port}");
            throw new CommandFailedException(e.InnerException is AddressInUseException
                ? $"{place} is in use: stop what listens there, "
                    + $"or choose another port for gRPC with {options.PortSetting}"
                : $"gRPC cannot listen on {place}: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        using (var patience = new CancellationTokenSource(LastCalls)) await _server.StopAsync(patience.Token);
        await _server.DisposeAsync();
        await _nodes.DisposeAsync();
    }

    private static WebApplication Build(GrpcOptions options, NodeClient nodes, IReadOnlyList<IPAddress> addresses)
    {
        var tls = options.Credentials is { } credentials ? Tls(credentials, new Complaints(options.Notice)) : null;
        var silent = new SilentConnections();
        // Empty: neither files nor variables of ASP.NET have a say, and nothing logs.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            var limits = kestrel.Limits;
            limits.MaxRequestBodySize = options.LongestWrite + Beside;
            limits.MaxConcurrentConnections = MostConnections;
            limits.RequestHeadersTimeout = HeadersLimit;
            limits.MinRequestBodyDataRate = SlowestUpload;
            limits.MaxRequestHeadersTotalSize = 16 * 1024;
            limits.Http2.MaxStreamsPerConnection = MostCallsOfOne;
            // What comes before a call has begun to read it.
            limits.Http2.InitialConnectionWindowSize = 2 * Window;
            limits.Http2.InitialStreamWindowSize = Window;
            // Some clients resolve localhost to ::1 first.
            if (addresses.Count == 0) kestrel.ListenLocalhost(options.Port, listen => Http2(listen, silent, tls));
            foreach (var address in addresses)
                kestrel.Listen(address, options.Port, listen => Http2(listen, silent, tls));
        });
        var services = builder.Services;
        services.AddSingleton<IConnectionListenerFactory>(new BoundedListeners(silent));
        services.AddRoutingCore();
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.AddSingleton(new OriginalService(options, nodes, new ClientRecords(options.Consistency)));
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.LongestWrite + Beside;
            grpc.MaxSendMessageSize = null;
            // Few bytes must not become many: nothing compressed is taken, which the original's clients do not send.
            grpc.CompressionProviders = [];
        });
        services.AddGrpcHealthChecks().AddCheck("store", new EndpointHealth(options, nodes));
        services.Configure<HealthCheckPublisherOptions>(
            p => (p.Delay, p.Period) = (TimeSpan.Zero, TimeSpan.FromSeconds(5)));
        ServiceDescriptor[] described = [StringTypes.Describe(), Health.Descriptor];
        services.AddSingleton(new ReflectionServiceImpl(described));
        services.AddSingleton(new ReflectionV1ServiceImpl(described));

        var server = builder.Build();
        var calls = options.Calls;
        server.Use((context, next) =>
        {
            SilentConnections.Called(context);
            return calls.RunAsync(context, () => next(context));
        });
        server.MapGrpcService<OriginalService>();
        server.MapGrpcHealthChecksService();
        server.MapGrpcService<ReflectionServiceImpl>();
        server.MapGrpcService<ReflectionV1ServiceImpl>();
        return server;
    }

    /// <summary>As at the node's own port, but who is not taken sees a handshake that fails: gRPC has no words before
    /// it.
    /// </summary>
    private static TlsHandshakeCallbackOptions Tls(NodeCredentials credentials, Complaints complaints)
    {
        return new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeLimit,
            OnConnection = connection =>
            {
                var current = credentials.Current;
                var options = current.ServerOptions((_, certificate, chain, _) =>
                {
                    var objection = certificate is X509Certificate2 shown ? current.WhyNotClient(shown, chain)
                        : credentials.ClientsNeedCertificates
                            ? "it shows no certificate (recoverkv.tls.client-certificates)"
                        : null;
                    var from = connection.Connection.RemoteEndPoint;
                    if (objection is not null) complaints.Add($"a gRPC client at {from} is refused: {objection}");
                    return objection is null;
                });
                options.ApplicationProtocols = [SslApplicationProtocol.Http2];
                return ValueTask.FromResult(options);
            },
        };
    }

    private static void Http2(ListenOptions listen, SilentConnections silent, TlsHandshakeCallbackOptions? tls)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.Use(next => connection => silent.RunAsync(connection, () => next(connection)));
        if (tls is not null) listen.UseHttps(tls);
    }

    /// <summary>The addresses to listen on; none: both of loopback.</summary>
    private static async Task<IReadOnlyList<IPAddress>> ResolveAsync(GrpcOptions options)
    {
        if (options.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return [];
        try
        {
            return await Dns.GetHostAddressesAsync(Hosts.Bare(options.Host));
        }
        catch (SocketException e)
        {
            throw new CommandFailedException($"gRPC cannot listen on {options.Host}: {e.Message}");
        }
    }

    /// <summary>The program handles signals itself.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
