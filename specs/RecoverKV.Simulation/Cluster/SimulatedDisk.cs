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

    /// <summary>R10: facts with lower numbers are forgotten. What they meant is known to the image.</summary>
    public int FirstFact { get; private set; } = 1;

    /// <summary>R10: what was taken of a peer's state.</summary>
    public IncomingState? Incoming { get; set; }

    // The states that were taken from peers, each with the number of facts by then, and the entries that it stands for.
    private readonly List<(int Facts, long At, IReadOnlyList<JournalImage.Entry> Entries)> _installed = [];

    /// <summary>R10: forgets facts below a number; how many of them there were.</summary>
    public int Forget(long before)
    {
        var forgotten = Math.Max(0, (int)Math.Min(before, _facts.Count + 1) - FirstFact);
        FirstFact += forgotten;
        return forgotten;
    }

    /// <summary>R10: what came from a peer is the checkpoint from now on.</summary>
    public void Install(SavedCheckpoint checkpoint, IReadOnlyList<JournalImage.Entry> entries)
    {
        (Saved, Incoming) = (checkpoint, null);
        _installed.Add((_facts.Count, checkpoint.Base.Applied.Value, entries));
        Image.Install(checkpoint.Base.Applied.Value, entries);
    }

    /// <summary>What the first so many facts mean.</summary>
    public JournalImage ImageOf(int count)
    {
        var image = new JournalImage();
        for (var i = 0; i <= count; i++)
        {
            foreach (var (_, at, entries) in _installed.Where(s => s.Facts == i || i == count && s.Facts > count))
                image.Install(at, entries);
            if (i < count) image.Apply(_facts[i]);
        }

        return image;
    }

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
        FirstFact = 1;
        Incoming = null;
        _installed.Clear();
        LostFacts = false; // what follows is another member, which vouched for nothing
    }

    /// <summary>What the disk had before the run.</summary>
    public void Load(IEnumerable<Fact> facts)
    {
        _facts.AddRange(facts);
        Image = ImageOf(_facts.Count);
    }

    /// <summary>Takes facts off the end, and maybe the count of them too.</summary>
    public void Truncate(int count, bool counted)
    {
        _facts.RemoveRange(_facts.Count - count, count);
        Image = ImageOf(_facts.Count);
        if (!counted) Counted = _facts.Count;
        LostFacts = true;
    }

    /// <summary>What a node reads of its journal for a peer (R6).</summary>
    public Batch[] Read(Effect.ServeFromJournal request, int maxEntries, int maxBytes)
    {
        if (request.LastFact > _facts.Count)
            throw new ViolationException("Journal reads", $"fact {request.LastFact} of {_facts.Count} was asked for");
        // They were forgotten since the core wanted them read.
        if (request.FirstFact < FirstFact) return [];
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
