using Grpc.Core;
using RecoverKV.Client;

namespace RecoverKV.Host.Grpc;

/// <summary>A call asks for what this client may not have, or for what makes no sense.</summary>
internal sealed class RefusalException(StatusCode code, string message) : Exception(message)
{
    public StatusCode Code { get; } = code;
}

/// <summary>The gRPC status of a call that failed.</summary>
internal static class Refusal
{
    public static RefusalException UnknownClient(string id) => new(StatusCode.NotFound, $"client \"{id}\" is not open");

    /// <summary>The status that tells of a failure; <see cref="StatusCode.Internal"/>: of one that should not happen.
    /// </summary>
    public static Status StatusOf(Exception failure, ServerCallContext context) => failure switch
    {
        RefusalException refusal => new(refusal.Code, refusal.Message),
        InvalidRequestException => new(StatusCode.InvalidArgument, failure.Message),
        StoreFullException => new(StatusCode.ResourceExhausted, failure.Message),
        NotDoneException { Refused: true } => new(StatusCode.FailedPrecondition, failure.Message),
        NotDoneException => new(StatusCode.Unavailable, failure.Message),
        // To UNAVAILABLE a client may answer by calling again; whether that does it twice is not known here.
        OutcomeUnknownException => new(StatusCode.DeadlineExceeded, failure.Message),
        OperationCanceledException when context.Deadline <= DateTime.UtcNow =>
            new(StatusCode.DeadlineExceeded, "too late"),
        OperationCanceledException or ObjectDisposedException => new(StatusCode.Cancelled, "the call was given up"),
        _ => new(StatusCode.Internal, Failures.Describe(failure)),
    };
}
