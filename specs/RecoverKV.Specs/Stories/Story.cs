using System.Text;
using System.Text.RegularExpressions;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation;
using RecoverKV.Simulation.Cluster;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Specs.Stories;

/// <summary>
/// Three nodes of the simulator in which only happens what is told to happen, and what they did as a text: sentences of who tells
/// it, and between them each fact, message and answer, but for heartbeats. A message takes a millisecond, a disk less.
/// </summary>
internal sealed partial class Story
{
    private readonly StringBuilder _text = new();
    private readonly SimulatedCluster _cluster;
    private readonly StoryClient _client = new();
    private long _number;

    /// <summary>A store of three nodes with its first view, and a client's session.</summary>
    public Story(Func<ProtocolOptions, ProtocolOptions>? options = null, TimeSpan checkpoints = default)
    {
        var defaults = new ProtocolOptions { Self = default, Nodes = [], Run = 0, Seed = 0 };
        var scenario = Scenario.Draw(1) with
        {
            Nodes = 3,
            Clients = 0,
            LibraryClients = 0,
            Padding = 0,
            Faults = Faults.None,
            MinDelay = TimeSpan.FromMilliseconds(1),
            MaxDelay = TimeSpan.FromMilliseconds(1),
            Stragglers = 0,
            Loss = 0,
            Duplication = 0,
            LateCopies = TimeSpan.Zero,
            MaxDiskDelay = TimeSpan.FromMilliseconds(0.1),
            MeanBetweenCheckpoints = checkpoints,
            UnequalLeases = false,
            UnequalQuotas = false,
            Options = options?.Invoke(defaults) ?? defaults,
        };
        _cluster = new SimulatedCluster(scenario, trace: new Lines(_text));
        foreach (var node in _cluster.Nodes) node.Start();
        Until(() => _cluster.Nodes.All(IsAlive));
        Write(1, "opens a session", [], session: 0);
        Until(() => _client.Last is not null);
        _text.Clear();
    }

    /// <summary>All that was told and done.</summary>
    public string Text => _text.ToString();

    /// <summary>A node, by its number.</summary>
    public SimulatedNode Node(int number) => _cluster.Nodes[number - 1];

    /// <summary>A sentence of who tells it.</summary>
    public void Tell(string sentence) => _text.Append(_text.Length == 0 ? "" : "\n").Append("# ").Append(sentence).Append("\n\n");

    /// <summary>Time passes.</summary>
    public void Run(int milliseconds)
    {
        var end = _cluster.Scheduler.Now + TimeSpan.FromMilliseconds(milliseconds);
        while (_cluster.Scheduler.Now < end) _cluster.Scheduler.Step();
    }

    /// <summary>Time passes until something is so.</summary>
    public void Until(Func<bool> condition)
    {
        var end = _cluster.Scheduler.Now + TimeSpan.FromMinutes(1);
        while (!condition())
        {
            if (_cluster.Scheduler.Now > end) throw new InvalidOperationException($"It does not come to that:\n{_text}");
            _cluster.Scheduler.Step();
        }
    }

    /// <summary>Whether it serves.</summary>
    public static bool IsAlive(SimulatedNode node) => node.Core?.Mode(node.Clock) == NodeMode.Alive;

    /// <summary>Whether the last write or read was answered.</summary>
    public bool IsAnswered => _client.Last is not null;

    /// <summary>What the node says to the others, or hears of them, is lost.</summary>
    public void Cut(int node, bool says, bool hears)
    {
        foreach (var other in _cluster.Nodes.Where(n => n.Index != node - 1))
        {
            if (says) _cluster.Network.Cut(node - 1, other.Index);
            if (hears) _cluster.Network.Cut(other.Index, node - 1);
        }
    }

    /// <summary>All messages arrive again.</summary>
    public void Mend() => _cluster.Network.MendAll();

    /// <summary>The client writes under its next number, or once more under the last one.</summary>
    public void Put(int node, int key, long value, bool again = false) => Write(
        node, $"puts k{key} = {value}", [new WriteOperation(OperationKind.Put, Values.Key(key), Values.Of(value))], 1, again);

    /// <summary>The client reads.</summary>
    public void Get(int node, int key)
    {
        _text.Append($"c1 asks n{node} for k{key}\n");
        var operation = new ClientOperation(_client, _cluster.Scheduler.Now, _cluster.Scheduler.Steps)
        {
            Read = new Read(1, [Values.Key(key)]),
            Actions = [new KeyAction(ActionKind.Get, key)],
        };
        var attempt = new Attempt(operation, Node(node));
        _client.Last = null;
        foreach (var property in _cluster.Properties) property.OnRequest(attempt);
        Node(node).Input(core => core.Read(Node(node).Clock, attempt, ReadConsistency.Linearizable, operation.Read));
    }

    private void Write(int node, string what, WriteOperation[] operations, long session, bool again = false)
    {
        _text.Append($"c1 {what} at n{node}{(again ? ", once more" : "")}\n");
        if (!again) _number++;
        var number = session == 0 ? 1 : _number;
        var request = WriteRequestCodec.Create(session, number, 0, operations);
        var operation = new ClientOperation(_client, _cluster.Scheduler.Now, _cluster.Scheduler.Steps) { Request = request };
        var attempt = new Attempt(operation, Node(node)) { Request = request };
        _client.Last = null;
        foreach (var property in _cluster.Properties) property.OnRequest(attempt);
        Node(node).Input(core => core.Submit(Node(node).Clock, attempt, [request]));
    }

    private sealed class StoryClient() : SimulatedClient(1)
    {
        /// <summary>The last one, since something was asked.</summary>
        public object? Last { get; set; }

        public override IEnumerable<ClientOperation> History => [];

        public override bool IsDone => true;

        public override void Start()
        {
        }

        public override void Finish()
        {
        }

        public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, WriteAnswer answer) =>
            Last = answer;

        public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, ReadAnswer answer) =>
            Last = answer;

        public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, ScanReply reply) => Last = reply;
    }

    /// <summary>Takes the lines of a trace that tell something.</summary>
    private sealed partial class Lines(StringBuilder text) : StringWriter
    {
        private static readonly string[] Dull = ["Heartbeat", "saved", "serve "];

        public override void WriteLine(string? value)
        {
            // Without the time: it would change with each change of the protocol.
            var line = value![11..].TrimEnd();
            if (line[5..].StartsWith("receive", StringComparison.Ordinal) || Dull.Any(d => line.Contains(d, StringComparison.Ordinal)))
                return;
            text.Append(Numbers().Replace(line, "")).Append('\n');
        }

        // Those that are drawn: of incarnations and of questions.
        [GeneratedRegex("#[0-9a-f]{4}(?![0-9a-f])| ?#[0-9]{9,}|Id = [0-9]+, |Run = [0-9]+, ")]
        private static partial Regex Numbers();
    }
}
