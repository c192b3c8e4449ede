namespace RecoverKV.Client.Writes;

/// <summary>
/// R9: one session, with its numbers that have no answer yet. They lie within a window: the nodes keep an answer for
/// each number from the low-water mark on, so that mark must not fall far behind.
/// </summary>
internal sealed class SessionWindow
{
    /// <summary>How far the numbers may be apart.</summary>
    internal const int Size = 1024;

    private readonly PendingWrite?[] _open = new PendingWrite?[Size];

    /// <summary>The uid of the entry that opened it; 0 until that is known.</summary>
    internal long Id { get; set; }

    /// <summary>The lowest number without an answer: lower ones are answered or given up.</summary>
    internal long LowWater { get; private set; } = 1;

    /// <summary>The next number.</summary>
    internal long Next { get; private set; } = 1;

    internal bool IsFull => Next - LowWater == Size;

    internal bool IsEmpty => Next == LowWater;

    internal IEnumerable<PendingWrite> Open
    {
        get
        {
            for (var number = LowWater; number < Next; number++)
            {
                if (_open[number % Size] is { } write) yield return write;
            }
        }
    }

    internal void Add(PendingWrite write)
    {
        write.Session = this;
        write.Number = Next++;
        _open[write.Number % Size] = write;
    }

    internal PendingWrite? Find(long number) =>
        number >= LowWater && number < Next ? _open[number % Size] : null;

    internal void Remove(PendingWrite write)
    {
        _open[write.Number % Size] = null;
        while (LowWater < Next && _open[LowWater % Size] is null) LowWater++;
    }
}
