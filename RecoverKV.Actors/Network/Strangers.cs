using System.Net.Sockets;

namespace RecoverKV.Actors.Network;

/// <summary>
/// Connections that were accepted and have said nothing yet. Each has a few seconds to say hello, and only so many
/// wait: then the one that has waited longest makes place, so that no number of silent ones keeps others out.
/// Thread-safe.
/// </summary>
/// <param name="most">How many wait at most.</param>
/// <param name="patience">How long a connection may say nothing.</param>
internal sealed class Strangers(int most, TimeSpan patience)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Socket> _waiting = new();

    /// <summary>What a connection comes to by what is said over it; default if nothing in time, or by a failure. Then
    /// it is closed.</summary>
    /// <param name="connection">Just accepted.</param>
    /// <param name="talk">What is said: it is cancelled when its time is over.</param>
    /// <param name="crowdedOut">Called if another must make place for it.</param>
    internal async Task<T?> ListenAsync<T>(Socket connection, Func<CancellationToken, Task<T?>> talk, Action crowdedOut)
        where T : class
    {
        var place = Enter(connection, crowdedOut);
        T? said = null;
        var stays = false;
        try
        {
            using var limit = new CancellationTokenSource(patience);
            said = await talk(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException
            or OperationCanceledException or InvalidDataException)
        {
            // It broke, was silent for too long, had to make place, or sends no frames.
        }

        finally
        {
            stays = Leave(place);
            if (said is null || !stays) connection.Dispose();
        }

        return stays ? said : null;
    }

    /// <summary>Closes them all.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            foreach (var socket in _waiting) socket.Dispose();
        }
    }

    private LinkedListNode<Socket> Enter(Socket connection, Action crowdedOut)
    {
        Socket? oldest = null;
        LinkedListNode<Socket> place;
        lock (_gate)
        {
            if (_waiting.Count >= most)
            {
                oldest = _waiting.First!.Value;
                _waiting.RemoveFirst();
            }

            place = _waiting.AddLast(connection);
        }

        if (oldest is null) return place;
        oldest.Dispose();
        crowdedOut();
        return place;
    }

    /// <summary>Whether it had not made place before.</summary>
    private bool Leave(LinkedListNode<Socket> place)
    {
        lock (_gate)
        {
            if (place.List is null) return false;
            _waiting.Remove(place);
            return true;
        }
    }
}
