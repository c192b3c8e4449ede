namespace RecoverKV.Client.Network;

/// <summary>Memory that many share, none of whom may be trusted to give it back. Thread-safe.</summary>
/// <param name="most">How many bytes there are.</param>
internal sealed class ByteBudget(long most)
{
    private long _taken;

    /// <summary>How many bytes there are.</summary>
    internal long Most => most;

    /// <summary>How many bytes are taken.</summary>
    internal long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes so many, or none and false.</summary>
    internal bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= most) return true;
        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    /// <summary>Gives them back.</summary>
    internal void Return(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
