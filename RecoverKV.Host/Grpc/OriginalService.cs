using Google.Protobuf;
using Grpc.Core;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Grpc.Wire;

namespace RecoverKV.Host.Grpc;

/// <summary>
/// The six calls of the original, on the native client. Every answer has a code; where the original adds a gRPC error
/// status, both are sent, as its client library makes a code of its own of an error status.
/// </summary>
internal sealed class OriginalService(GrpcOptions options, NodeClient nodes, ClientRecords records)
    : Wire.RecoverKV.RecoverKVBase
{
    private readonly ServerOrders _orders = new(options, records);

    public override Task<Response> getValue(Request request, ServerCallContext context) =>
        AnswerAsync(context, Codes.Failed, async (store, end) =>
        {
            var key = KeyOf(request);
            if (await records.FindAsync(store, request.ClientID, end) is null)
                throw Refusal.UnknownClient(request.ClientID);
            var read = await store.GetAsync(key, options.Consistency, end);
            return read.Version is { } version ? Answer(Codes.Found, version.Value) : Answer(Codes.Absent);
        });

    public override Task<Response> setValue(Request request, ServerCallContext context) =>
        AnswerAsync(context, Codes.WriteFailed, async (store, end) =>
        {
            var key = KeyOf(request);
            // Without an error status: the original's client library would make a failed write of it.
            if (await records.FindAsync(store, request.ClientID, end) is null) return Answer(Codes.Failed);
            var written = await store.PutAsync(key, request.Value.Memory, returnPrevious: true, end);
            // The code for a key that existed has the old value with it.
            if (written.PreviousOmitted) throw new OutcomeUnknownException(
                $"The write was done (uid {written.Uid}), but the value before it is not known any more.");
            return written.Previous[0] is { } old
                ? Answer(Codes.Existed, old.Value)
                : Answer(Codes.New, request.Value.Memory);
        });

    public override Task<Response> initLBState(StateRequest request, ServerCallContext context) =>
        AnswerAsync(context, Codes.Failed, async (store, end) =>
        {
            if (request.ClientID.Length == 0)
                throw new RefusalException(StatusCode.InvalidArgument, "the client id is empty");
            var named = options.Servers.NodesOf(request.ServersList);
            if (named.Count == 0 || named.Contains(null)) return Answer(Codes.Failed);
            var status = await store.GetStatusAsync(end);
            // One that is alone answers reads, and so is ALIVE as the original has it.
            if (!named.All(n => status.Nodes.Any(s => s.Node == n && (s.Mode == NodeMode.Alive || s.IsAlone))))
                return Answer(Codes.Failed);
            return Answer(await records.OpenAsync(store, request.ClientID, named!, end) ? Codes.Done : Codes.Failed);
        });

    public override Task<Response> freeLBState(StateRequest request, ServerCallContext context) =>
        AnswerAsync(context, Codes.Failed, async (store, end) =>
            await records.FreeAsync(store, request.ClientID, end)
                ? Answer(Codes.Done)
                : throw Refusal.UnknownClient(request.ClientID));

    public override Task<Response> stopServer(KillRequest request, ServerCallContext context) =>
        AnswerAsync(context, Codes.Failed, async (store, end) =>
        {
            await _orders.StopAsync(store, request, end);
            return Answer(Codes.Done);
        });

    public override Task<Response> partitionServer(PartitionRequest request, ServerCallContext context) =>
        AnswerAsync(context, Codes.Failed, async (store, end) =>
        {
            await _orders.PartitionAsync(store, request, end);
            return Answer(Codes.Done);
        });

    private async Task<Response> AnswerAsync(
        ServerCallContext context, int failed, Func<RecoverKvClient, CancellationToken, Task<Response>> run)
    {
        try
        {
            var answer = await run(await nodes.GetAsync(context.CancellationToken), context.CancellationToken);
            CallLimits.Answers(context.GetHttpContext(), answer.Value.Length);
            return answer;
        }
        catch (Exception failure)
        {
            // Whatever happens is this call's failure alone, and its client must hear of it.
            context.Status = Refusal.StatusOf(failure, context);
            if (context.Status.StatusCode == StatusCode.Internal) options.Notice($"gRPC: {context.Status.Detail}");
            return Answer(failed);
        }
    }

    private static Key KeyOf(Request request)
    {
        var key = new Key(request.Key.Memory);
        return ReservedKeys.Holds(key)
            ? throw new RefusalException(StatusCode.InvalidArgument, "the key is reserved")
            : key.Length == 0 ? throw new RefusalException(StatusCode.InvalidArgument, "the key is empty") : key;
    }

    private static Response Answer(int code, ReadOnlyMemory<byte> value = default) =>
        new() { SuccessCode = code, Value = UnsafeByteOperations.UnsafeWrap(value) };
}
