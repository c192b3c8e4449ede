using System.Collections.Concurrent;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Connection;

/// <summary>Questions that are rare and go one by one: each is a message with an id that its answer bears.</summary>
internal sealed class Asks(Action<NodeRoute, IClientMessage> send)
{
    private readonly ConcurrentDictionary<long, Question> _open = new();
    private long _lastId;
    private volatile bool _closed;

    /// <summary>The answer, or null if none came in time.</summary>
    internal async Task<T?> AskAsync<T>(
        NodeRoute node, Func<long, IClientMessage> question, TimeSpan patience, CancellationToken cancellation)
        where T : class, IClientMessage
    {
        var id = Interlocked.Increment(ref _lastId);
        var end = new TaskCompletionSource<IClientMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = question(id);
        _open[id] = new Question(node, ClientCodec.ManifestOf(message), end);
        try
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(RecoverKvClient));
            send(node, message);
            return await end.Task.WaitAsync(patience, cancellation).ConfigureAwait(false) as T;
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            _open.TryRemove(id, out _);
        }
    }

    internal void Answer(long id, IClientMessage answer)
    {
        if (_open.TryGetValue(id, out var question)) question.End.TrySetResult(answer);
    }

    /// <summary>A node of another version does not know a kind of message.</summary>
    internal void Refuse(NodeRoute? from, string manifest)
    {
        foreach (var question in _open.Values)
        {
            if (question.Node != from || question.Manifest != manifest) continue;
            question.End.TrySetException(
                new NotDoneException($"Node {from.Node} does not know this request ({manifest})."));
        }
    }

    internal void Close(string reason)
    {
        _closed = true;
        foreach (var question in _open.Values)
            question.End.TrySetException(new NotDoneException($"The request was not done: {reason}"));
    }

    private sealed record Question(NodeRoute Node, string Manifest, TaskCompletionSource<IClientMessage> End);
}
