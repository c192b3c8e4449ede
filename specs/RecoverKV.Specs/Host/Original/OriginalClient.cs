using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using RecoverKV.Specs.Host.Original.Wire;

namespace RecoverKV.Specs.Host.Original;

/// <summary>What a call answered: its code, and its gRPC status where that is an error.</summary>
internal sealed record Answer(int Code, string Value, StatusCode Status)
{
    /// <summary>An answer without an error status.</summary>
    public static Answer Ok(int code, string value = "") => new(code, value, StatusCode.OK);

    /// <summary>An answer with one.</summary>
    public static Answer Error(int code, StatusCode status) => new(code, "", status);
}

/// <summary>A client of the original. It sees the code of an answer even beside an error status, as C++ clients do.
/// </summary>
internal sealed class OriginalClient : IDisposable
{
    private static readonly Method<Request, Response>[] Data = [Of<Request>("getValue"), Of<Request>("setValue")];

    private readonly GrpcChannel _channel;

    public OriginalClient(int port, string id = "client", string host = "localhost")
    {
        Id = id;
        // An error status would be thrown, and the message before it be lost.
        _channel = GrpcChannel.ForAddress(
            string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}"), new GrpcChannelOptions
            {
                MaxReceiveMessageSize = null,
                MaxSendMessageSize = null,
            });
    }

    /// <summary>One that speaks TLS.</summary>
    public OriginalClient(int port, HttpMessageHandler handler)
    {
        Id = "client";
        _channel = GrpcChannel.ForAddress(
            string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port}"),
            new GrpcChannelOptions { HttpHandler = handler });
    }

    public string Id { get; }

    /// <summary>Calls end by then.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    public ChannelBase Channel => _channel;

    public Task<Answer> GetAsync(string key) => CallAsync(Data[0], new Request { ClientID = Id, Key = key });

    public Task<Answer> SetAsync(string key, string value) =>
        CallAsync(Data[1], new Request { ClientID = Id, Key = key, Value = value });

    public Task<Answer> InitAsync(params string[] servers) =>
        CallAsync(
            Of<StateRequest>("initLBState"),
            new StateRequest { ClientID = Id, ServersList = string.Join(',', servers) });

    public Task<Answer> FreeAsync() => CallAsync(Of<StateRequest>("freeLBState"), new StateRequest { ClientID = Id });

    public Task<Answer> StopAsync(string server, int cleanType) => CallAsync(
        Of<KillRequest>("stopServer"), new KillRequest { ClientID = Id, ServerName = server, CleanType = cleanType });

    public Task<Answer> PartitionAsync(string server, string reachable) => CallAsync(
        Of<PartitionRequest>("partitionServer"),
        new PartitionRequest { ClientID = Id, ServerName = server, Reachable = reachable });

    public void Dispose() => _channel.Dispose();

    private async Task<Answer> CallAsync<T>(Method<T, Response> method, T request) where T : class
    {
        // As a stream of answers, which shows the message even where an error status follows it.
        using var call = _channel.CreateCallInvoker().AsyncServerStreamingCall(
            method, null, new CallOptions(deadline: DateTime.UtcNow + Patience), request);
        var response = new Response();
        try
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None)) response = call.ResponseStream.Current;
            return new Answer(response.SuccessCode, response.Value, StatusCode.OK);
        }
        catch (RpcException e)
        {
            return new Answer(response.SuccessCode, response.Value, e.StatusCode);
        }
    }

    /// <summary>A call of the service; on the wire a single answer is a stream of one.</summary>
    private static Method<T, Response> Of<T>(string name) where T : class, Google.Protobuf.IMessage<T>, new() => new(
        MethodType.ServerStreaming, "recoverKV.RecoverKV", name, Coding<T>(), Coding<Response>());

    private static Marshaller<T> Coding<T>() where T : class, Google.Protobuf.IMessage<T>, new() => Marshallers.Create(
        Google.Protobuf.MessageExtensions.ToByteArray, new Google.Protobuf.MessageParser<T>(() => new T()).ParseFrom);
}
