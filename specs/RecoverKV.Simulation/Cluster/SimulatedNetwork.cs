namespace RecoverKV.Simulation.Cluster;

/// <summary>Delays, loses, repeats and reorders messages; links can be cut in one direction or both.</summary>
internal sealed class SimulatedNetwork(Scheduler scheduler, Prng random, Scenario scenario)
{
    private readonly Dictionary<(int From, int To), int> _cuts = [];
    private readonly Dictionary<(int From, int To), List<Action>> _held = [];

    /// <summary>Share of messages lost now.</summary>
    public double Loss { get; set; } = scenario.Loss;

    public double Duplication { get; set; } = scenario.Duplication;

    public long Lost { get; private set; }

    public void Cut(int from, int to) => _cuts[(from, to)] = _cuts.GetValueOrDefault((from, to)) + 1;

    public void Mend(int from, int to)
    {
        if (!_cuts.TryGetValue((from, to), out var count)) return;
        if (count == 1) _cuts.Remove((from, to));
        else _cuts[(from, to)] = count - 1;
    }

    public void MendAll()
    {
        _cuts.Clear();
        _held.Clear();
    }

    public bool IsCut(int from, int to) => _cuts.ContainsKey((from, to));

    /// <summary>What is sent from now on is stuck in a connection that nobody reads.</summary>
    public void Hold(int from, int to) => _held[(from, to)] = [];

    /// <summary>Another connection is there: what is sent now passes.</summary>
    /// <returns>What is stuck in the earlier one, to be released in its order.</returns>
    public Action Reconnect(int from, int to)
    {
        if (!_held.Remove((from, to), out var stuck)) return () => { };
        return () =>
        {
            for (var i = 0; i < stuck.Count; i++) scheduler.After(TimeSpan.FromMilliseconds(0.1 * i), stuck[i]);
        };
    }

    /// <summary>Between nodes: what is under way when a link is cut is lost, too.</summary>
    public void Send(int from, int to, Action deliver)
    {
        void Arrive()
        {
            if (IsCut(from, to)) Lost++;
            else deliver();
        }

        if (IsCut(from, to) || random.Chance(Loss))
        {
            // What seems to be lost may only have been stuck somewhere.
            if (scenario.LateCopies > TimeSpan.Zero && random.Chance(0.5)) scheduler.After(CopyDelay(), Arrive);
            else Lost++;
            return;
        }

        if (_held.TryGetValue((from, to), out var stuck))
        {
            stuck.Add(Arrive);
            return;
        }

        scheduler.After(Delay(), Arrive);
        if (random.Chance(Duplication)) scheduler.After(CopyDelay(), Arrive);
    }

    /// <summary>Between a client and a node.</summary>
    public void Send(Action deliver)
    {
        if (random.Chance(Loss))
        {
            Lost++;
            return;
        }

        scheduler.After(Delay(), deliver);
        if (random.Chance(Duplication)) scheduler.After(CopyDelay(), deliver);
    }

    private TimeSpan CopyDelay() => scenario.LateCopies > TimeSpan.Zero && random.Chance(0.5)
        ? scenario.LateCopies * random.Unit()
        : Delay() * 3;

    /// <summary>How long a message takes.</summary>
    public TimeSpan Delay()
    {
        var limit = random.Chance(scenario.Stragglers) ? scenario.MaxDelay * 5 : scenario.MaxDelay;
        // Most messages are fast: the square of a uniform number.
        var share = random.Unit();
        return scenario.MinDelay + (limit - scenario.MinDelay) * (share * share);
    }
}
