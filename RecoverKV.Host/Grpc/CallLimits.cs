using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RecoverKV.Client.Network;

namespace RecoverKV.Host.Grpc;

/// <summary>
/// What all calls together may hold of the endpoint's memory: so many at once, and so many bytes of requests and of
/// answers under way. Beyond it a call ends with RESOURCE_EXHAUSTED. Small requests and answers always have room, so
/// that large ones keep none of them out. Thread-safe.
/// </summary>
/// <param name="bytes">How many bytes beyond small ones.</param>
internal sealed class CallLimits(long bytes = CallLimits.DefaultBytes)
{
    /// <summary>How many calls at once.</summary>
    internal const int MostCalls = 4096;

    /// <summary>How many calls that last as long as their client likes: of health and of reflection.</summary>
    internal const int MostStreams = 100;

    /// <summary>How many bytes are small.</summary>
    internal const int Small = 16 * 1024;

    private const long DefaultBytes = 64 * 1024 * 1024;
    private readonly ByteBudget _budget = new(bytes);
    private int _calls;
    private int _streams;

    /// <summary>How many bytes are held; for specs.</summary>
    internal long Held => _budget.Taken;

    /// <summary>A call, within the limits.</summary>
    internal async Task RunAsync(HttpContext context, Func<Task> next)
    {
        var isStream = IsStream(context.Request.Path);
        using var held = new Holding(_budget);
        try
        {
            var running = isStream ? Interlocked.Increment(ref _streams) : Interlocked.Increment(ref _calls);
            if (running > (isStream ? MostStreams : MostCalls))
            {
                Refuse(context.Response);
                return;
            }

            context.Features.Set(held);
            context.Features.Set<IRequestBodyPipeFeature>(
                new Body(new CountingReader(context.Request.BodyReader, held)));
            await next();
            // gRPC leaves what is to be sent to the server, which keeps it.
            if (held.HasAnswer) await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
        finally
        {
            if (isStream) Interlocked.Decrement(ref _streams);
            else Interlocked.Decrement(ref _calls);
        }
    }

    private static bool IsStream(PathString path) =>
        path.StartsWithSegments("/grpc.health.v1.Health/Watch", StringComparison.Ordinal)
        || path.Value?.StartsWith("/grpc.reflection.", StringComparison.Ordinal) is true;

    /// <summary>So many bytes of an answer are there until the call ends. If there is no room for them, the call is
    /// broken off: that something was not done can't be said any more.</summary>
    internal static void Answers(HttpContext context, int length)
    {
        if (context.Features.Get<Holding>()?.TryAnswer(length) is false) context.Abort();
    }

    // As gRPC has it where there are no messages.
    private static void Refuse(HttpResponse response)
    {
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] =
            ((int)StatusCode.ResourceExhausted).ToString(System.Globalization.CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = "the endpoint has too many calls at once";
    }

    /// <summary>What one call holds: the most that it had at once. Used by one thread at a time.</summary>
    private sealed class Holding(ByteBudget budget) : IDisposable
    {
        private long _request;
        private long _answer;

        /// <summary>So many bytes of it are there; they stay with the call when they were read.</summary>
        /// <exception cref="RpcException">There is no room for them.</exception>
        internal void Requests(long length)
        {
            if (!TryHold(ref _request, length))
                throw new RpcException(new Status(
                    StatusCode.ResourceExhausted,
                    "the endpoint has too many large requests and answers under way: try again"));
        }

        /// <summary>Whether there is an answer that is not small.</summary>
        internal bool HasAnswer => _answer > 0;

        internal bool TryAnswer(long length) => TryHold(ref _answer, length);

        public void Dispose() => budget.Return(_request + _answer);

        private bool TryHold(ref long held, long length)
        {
            var wanted = Math.Max(0, length - Small);
            if (wanted > held && !budget.TryTake(wanted - held)) return false;
            held = Math.Max(held, wanted);
            return true;
        }
    }

    private sealed record Body(PipeReader Reader) : IRequestBodyPipeFeature;

    /// <summary>Tells how much has come and waits.</summary>
    private sealed class CountingReader(PipeReader inner, Holding held) : PipeReader
    {
        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var result = await inner.ReadAsync(cancellationToken);
            held.Requests(result.Buffer.Length);
            return result;
        }

        public override bool TryRead(out ReadResult result)
        {
            if (!inner.TryRead(out result)) return false;
            held.Requests(result.Buffer.Length);
            return true;
        }

        public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
            inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}
