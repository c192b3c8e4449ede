namespace RecoverKV.Simulation.Cluster;

/// <summary>
/// The connections between a client and a node, one after the other: what is sent over one arrives in order, or not at
/// all once it is broken. A break is told to the client sooner or later, with the next one there already.
/// </summary>
internal sealed class ClientLink(SimulatedCluster cluster, SimulatedNode node, Prng random, Action broken)
{
    private readonly TimeSpan[] _arrivals = new TimeSpan[2];

    /// <summary>Which one is in use.</summary>
    public int Connection { get; private set; }

    public SimulatedNode Node { get; } = node;

    public void ToNode(Action deliver) => Send(0, () =>
    {
        if (Node.IsUp) deliver();
        else Break();
    });

    public void ToClient(Action deliver) => Send(1, deliver);

    public void Break()
    {
        Connection++;
        Array.Clear(_arrivals);
        cluster.Scheduler.After(random.Milliseconds(0, random.OneOf(5, 100, 1500)), broken);
    }

    private void Send(int direction, Action deliver)
    {
        // Lost packets are sent again and only take their time; seldom they cost the connection.
        if (random.Chance(cluster.Network.Loss / 4)) Break();
        var delay = cluster.Network.Delay();
        if (random.Chance(cluster.Network.Loss / 4)) delay += random.Milliseconds(100, 3000);
        var now = cluster.Scheduler.Now;
        _arrivals[direction] = now + delay > _arrivals[direction] ? now + delay : _arrivals[direction];
        var connection = Connection;
        cluster.Scheduler.After(_arrivals[direction] - now, () =>
        {
            if (connection == Connection) deliver();
        });
    }
}
