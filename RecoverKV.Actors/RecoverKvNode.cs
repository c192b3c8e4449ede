using Akka.Configuration;

namespace RecoverKV.Actors;

/// <summary>A node could not start, or had to stop: one clear line for the operator.</summary>
public class NodeFailedException : Exception
{
    /// <summary>With a message of one line.</summary>
    public NodeFailedException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>Why a node ended.</summary>
public enum NodeExit
{
    /// <summary>It left in good order, because it was asked to.</summary>
    Left = 0,

    /// <summary>It must be started again (for example it was quarantined).</summary>
    Restart = 1,
}

/// <summary>One running node: actor system, replica, gateway. Skeleton.</summary>
public sealed class RecoverKvNode : IAsyncDisposable
{
    /// <summary>Starts a node; returns when it listens.</summary>
    /// <exception cref="NodeFailedException">A bad configuration, a port in use, a data folder in use or damaged.</exception>
    public static Task<RecoverKvNode> StartAsync(Config config) => throw new NotImplementedException();

    /// <summary>Ends when the node has ended, with the reason; fails with <see cref="NodeFailedException"/>.</summary>
    public Task<NodeExit> Completion => throw new NotImplementedException();

    /// <summary>Leaves in good order (R8), within a few seconds.</summary>
    public Task LeaveAsync() => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
