using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using RecoverKV.Client;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Network;
using RecoverKV.Host.Grpc;
using RecoverKV.Host.Grpc.Wire;

namespace RecoverKV.Host.Checks;

/// <summary>The store as a client of the original has it.</summary>
internal sealed class GrpcStore : ICheckedStore
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly GrpcChannel _channel;
    private readonly Grpc.Wire.RecoverKV.RecoverKVClient _calls;
    private readonly string _id = NewId();

    private GrpcStore(string address, TlsOptions? tls, IReadOnlyList<string> servers)
    {
        Servers = servers;
        _channel = tls is null
            ? GrpcChannel.ForAddress($"http://{address}")
            : GrpcChannel.ForAddress($"https://{address}", new GrpcChannelOptions
            {
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = Credentials.Load(tls.Authority, tls.Certificate, tls.Key)
                        .ClientOptions(Hosts.Bare(ContactPoint.ParseAll([address])[0].Host)),
                },
                DisposeHttpClient = true,
            });
        _calls = new(_channel);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Servers { get; }

    /// <summary>Opens a client that names these servers, once they are ALIVE.</summary>
    /// <exception cref="CommandFailedException">They are not, or nobody listens there.</exception>
    public static async Task<GrpcStore> OpenAsync(
        string address, TlsOptions? tls, IReadOnlyList<string> servers, TimeSpan patience,
        CancellationToken cancellation)
    {
        var store = new GrpcStore(address, tls, servers);
        try
        {
            var end = DateTime.UtcNow + patience;
            while (!await store.InitAsync(store._id, servers, cancellation))
            {
                if (DateTime.UtcNow >= end)
                    throw new CommandFailedException(
                        $"{address} takes no client of {string.Join(',', servers)}: "
                        + "they are unknown there, or not all ALIVE");
                await Task.Delay(100, cancellation);
            }

            return store;
        }
        catch
        {
            store._channel.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<string?> PutAsync(string key, string value, CancellationToken cancellation)
    {
        var answer = await CallAsync(_calls.setValueAsync, new Request
        {
            ClientID = _id,
            Key = ByteString.CopyFromUtf8(key),
            Value = ByteString.CopyFromUtf8(value),
        }, cancellation);
        return answer.SuccessCode switch
        {
            Codes.Existed => answer.Value.ToStringUtf8(),
            Codes.New => null,
            _ => throw new CheckFailedException($"setValue answered {answer.SuccessCode}"),
        };
    }

    /// <inheritdoc/>
    public async Task<string?> GetAsync(string key, CancellationToken cancellation)
    {
        var answer = await CallAsync(
            _calls.getValueAsync, new Request { ClientID = _id, Key = ByteString.CopyFromUtf8(key) }, cancellation);
        return answer.SuccessCode switch
        {
            Codes.Found => answer.Value.ToStringUtf8(),
            Codes.Absent => null,
            _ => throw new CheckFailedException($"getValue answered {answer.SuccessCode}"),
        };
    }

    /// <inheritdoc/>
    public async Task<bool> AreAliveAsync(CancellationToken cancellation)
    {
        // The interface has no other question for it: a client is opened only while all that it names are.
        var id = NewId();
        if (!await InitAsync(id, Servers, cancellation)) return false;
        await FreeAsync(id, cancellation);
        return true;
    }

    /// <inheritdoc/>
    public Task StopAsync(string server, bool clean, CancellationToken cancellation) =>
        StopAsync(_id, server, clean, cancellation);

    /// <inheritdoc/>
    public Task PartitionAsync(string server, IReadOnlyList<string> reachable, CancellationToken cancellation) =>
        CallAsync(
            _calls.partitionServerAsync,
            new PartitionRequest
            {
                ClientID = _id,
                ServerName = server,
                Reachable = string.Concat(reachable.Select(r => r + ","))
            },
            cancellation);

    /// <inheritdoc/>
    public async Task<bool> RefusesUnnamedAsync(string server, CancellationToken cancellation)
    {
        var other = NewId();
        var named = Servers.Where(s => s != server).ToArray();
        if (named.Length == 0) throw new NotAllowedException("it needs two servers");
        if (!await InitAsync(other, named, cancellation))
            throw new CheckFailedException("a second client could not be opened");
        try
        {
            await StopAsync(other, server, clean: false, cancellation);
            return false;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.PermissionDenied)
        {
            return true;
        }
        finally
        {
            await FreeAsync(other, cancellation);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await FreeAsync(_id, CancellationToken.None);
        }
        catch (RpcException)
        {
            // The endpoint has gone, and what there was to say about it was said.
        }

        _channel.Dispose();
    }

    private static string NewId() => $"check-{Guid.NewGuid():N}";

    private async Task<bool> InitAsync(string id, IReadOnlyList<string> servers, CancellationToken cancellation)
    {
        var answer = await CallAsync(
            _calls.initLBStateAsync,
            new StateRequest { ClientID = id, ServersList = string.Join(',', servers) }, cancellation);
        return answer.SuccessCode == Codes.Done;
    }

    private async Task FreeAsync(string id, CancellationToken cancellation) =>
        await CallAsync(_calls.freeLBStateAsync, new StateRequest { ClientID = id }, cancellation);

    private async Task StopAsync(string id, string server, bool clean, CancellationToken cancellation) =>
        await CallAsync(
            _calls.stopServerAsync,
            new KillRequest { ClientID = id, ServerName = server, CleanType = clean ? 1 : 0 },
            cancellation);

    private static async Task<Response> CallAsync<T>(
        Func<T, CallOptions, AsyncUnaryCall<Response>> call, T request, CancellationToken cancellation)
    {
        try
        {
            return await call(
                request, new CallOptions(deadline: DateTime.UtcNow + Patience, cancellationToken: cancellation));
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.FailedPrecondition)
        {
            throw new NotAllowedException(e.Status.Detail);
        }
        catch (RpcException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
    }
}
