namespace RecoverKV.Client.Connection;

/// <summary>
/// How many bytes are under way to or from a node, and how many may be: what is beyond that waits in the client, where
/// it holds up nothing else. A link that carries what it is given quickly is given more, up to what keeps any link
/// busy; on a thin one the queue stays short, so that small messages pass and what is late is known to be lost. Not
/// thread-safe.
/// </summary>
internal sealed class ByteWindow
{
    private long _most = Timing.WindowLeast;
    private long _narrowedAt = long.MinValue;

    /// <summary>Bytes that were sent, or asked for, and not answered.</summary>
    internal long Out { get; private set; }

    /// <summary>Whether more may go. One that is too large for the window goes alone.</summary>
    internal bool HasRoom => Out < _most;

    internal void Depart(int bytes) => Out += bytes;

    /// <summary>They are answered, or given up, or wait to be sent again.</summary>
    internal void Land(int bytes) => Out -= bytes;

    /// <summary>What was sent at <paramref name="sentAt"/> is answered; not landed yet.</summary>
    internal void Answered(int bytes, long sentAt, long now)
    {
        var took = now - sentAt;
        if (took <= Timing.Brisk)
        {
            // What did not need the room says nothing of a wider one.
            if (2 * Out >= _most) _most = Math.Min(Timing.WindowMost, _most + bytes);
        }
        else if (took > Timing.Sluggish && sentAt > _narrowedAt)
        {
            _most = Math.Max(Timing.WindowLeast, _most / 2);
            _narrowedAt = now;
        }
    }
}
