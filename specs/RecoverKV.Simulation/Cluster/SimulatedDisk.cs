using RecoverKV.Actors.Protocol;

namespace RecoverKV.Simulation.Cluster;

/// <summary>A journal on a disk: facts become durable in order, each after a random delay; a crash loses any suffix of
/// those under way.</summary>
internal sealed class SimulatedDisk(Scheduler scheduler, Prng random, TimeSpan maxDelay)
{
    private readonly Queue<Fact> _pending = new();
    private readonly List<Fact> _facts = [];
    private TimeSpan _freeAt;
    private int _life;

    /// <summary>The durable facts; the number of the first is 1.</summary>
    public IReadOnlyList<Fact> Facts => _facts;

    /// <summary>What the durable facts mean.</summary>
    public JournalImage Image { get; private set; } = new();

    /// <summary>A disk fault took away facts that the replica may have vouched for.</summary>
    public bool LostFacts { get; private set; }

    /// <summary>R11: how many facts the journal has had, as what stands beside it says.</summary>
    public int Counted { get; private set; }

    /// <summary>R10: the last checkpoint that was written to its end.</summary>
    public SavedCheckpoint Saved { get; private set; } = SavedCheckpoint.None;

    /// <summary>A checkpoint is whole.</summary>
    public void Save(SavedCheckpoint checkpoint) => Saved = checkpoint;

    /// <summary>Called with the number of a fact that is durable, and all before it.</summary>
    public Action<long>? Durable { get; set; }

    public void Append(long number, Fact fact)
    {
        if (number != _facts.Count + _pending.Count + 1)
            throw new ViolationException("Journal numbers", $"{number} follows {_facts.Count + _pending.Count}");
        _pending.Enqueue(fact);
        var delay = maxDelay * (random.Chance(0.9) ? 0.3 * random.Unit() : random.Unit());
        _freeAt = (_freeAt > scheduler.Now ? _freeAt : scheduler.Now) + delay;
        var life = _life;
        scheduler.After(_freeAt - scheduler.Now, () =>
        {
            if (life != _life) return;
            Settle();
            // Commits are gathered: one report may stand for several facts.
            if (_pending.Count == 0 || random.Chance(0.7)) Durable?.Invoke(_facts.Count);
        });
    }

    public void Stall(TimeSpan time)
    {
        if (_freeAt < scheduler.Now + time) _freeAt = scheduler.Now + time;
    }

    /// <summary>The process is gone. Some of what was under way may have reached the disk.</summary>
    public void Crash(bool failedWrite)
    {
        _life++;
        var survive = failedWrite ? 0 : random.Below(_pending.Count + 1);
        while (survive-- > 0) Settle();
        _pending.Clear();
        _freeAt = scheduler.Now;
    }

    public void Wipe()
    {
        _facts.Clear();
        Image = new JournalImage();
        Counted = 0;
        Saved = SavedCheckpoint.None;
        LostFacts = false; // what follows is another member, which vouched for nothing
    }

    /// <summary>What the disk had before the run.</summary>
    public void Load(IEnumerable<Fact> facts)
    {
        _facts.AddRange(facts);
        Image = JournalImage.Of(_facts);
    }

    /// <summary>Takes facts off the end, and maybe the count of them too.</summary>
    public void Truncate(int count, bool counted)
    {
        _facts.RemoveRange(_facts.Count - count, count);
        Image = JournalImage.Of(_facts);
        if (!counted) Counted = _facts.Count;
        LostFacts = true;
    }

    /// <summary>What a node reads of its journal for a peer (R6).</summary>
    public Batch[] Read(Effect.ServeFromJournal request, int maxEntries, int maxBytes)
    {
        if (request.LastFact > _facts.Count)
            throw new ViolationException("Journal reads", $"fact {request.LastFact} of {_facts.Count} was asked for");
        var facts = _facts.GetRange((int)request.FirstFact - 1, (int)(request.LastFact - request.FirstFact) + 1);
        return JournalEntries.Select(request, facts, maxEntries, maxBytes);
    }

    private void Settle()
    {
        var fact = _pending.Dequeue();
        _facts.Add(fact);
        Counted = _facts.Count;
        Image.Apply(fact);
    }
}
