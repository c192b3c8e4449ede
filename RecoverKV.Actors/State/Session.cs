namespace RecoverKV.Actors.State;

/// <summary>R9: what is known of one client. Not thread-safe.</summary>
/// <param name="id">The uid that opened it.</param>
internal sealed class Session(long id)
{
    /// <summary>The uid that opened it.</summary>
    public long Id { get; } = id;

    /// <summary>The client needs no answer to requests with lower numbers, or it kept too many.</summary>
    public long LowWater { get; set; } = 1;

    /// <summary>The uid of its last use.</summary>
    public long Used { get; set; }

    /// <summary>Roughly what its answers take in memory.</summary>
    public long Bytes { get; set; }

    /// <summary>The answers that it may ask for again.</summary>
    public NumberedAnswers Answers { get; } = new();

    /// <summary>Its place among all sessions.</summary>
    public LinkedListNode<Session> Node { get; set; } = null!;

    /// <summary>R10: changed since the last capture.</summary>
    public bool IsChanged { get; set; }

    /// <summary>R10: still to be handed over to the capture under way.</summary>
    public bool IsCaptured { get; set; }

    /// <summary>R10: as it is now.</summary>
    public SessionRecord Record => new(Id, LowWater, Used, Answers.ToArray());
}
