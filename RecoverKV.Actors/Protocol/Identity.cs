using System.IO.Hashing;
using System.Text;

namespace RecoverKV.Actors.Protocol;

// R12 Identity: messages of another store, for another node, or of a node with other settings are refused before any
// other rule sees them: they are no promise, no acknowledgement, no witness of a higher epoch. Both sides say so.
public sealed partial class ReplicaCore
{
    // A peer that is refused is told why at most so often, and the operator, who is reminded of it now and then.
    private static readonly TimeSpan SayAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Remind = TimeSpan.FromMinutes(1);

    // For so long after the last message that was refused it is the answer to what is wrong here.
    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Never = TimeSpan.MinValue / 2;

    private readonly ulong _settings;

    // Bounded by the configured nodes: all that have none of their names share one.
    private readonly Dictionary<NodeId, Stranger> _strangers = [];
    private readonly HashSet<NodeId> _heard = [];
    private Guid _senderCluster;

    // Why this replica takes no part in anything, by its own folder; null if it does.
    private string? _barred;

    /// <summary>A peer whose messages are refused.</summary>
    private sealed class Stranger
    {
        public Header Header { get; set; }
        public string? Text { get; set; }
        public TimeSpan HeardAt { get; set; }
        public TimeSpan SaidAt { get; set; } = Never;
        public TimeSpan ToldAt { get; set; } = Never;
    }

    /// <summary>The store that this replica belongs to; empty while it knows none.</summary>
    public Guid Cluster => _view.Cluster != Guid.Empty ? _view.Cluster : _options.Cluster;

    /// <summary>What a message to this node goes with.</summary>
    public Header HeaderTo(NodeId to) => new(_self, to, Cluster, _settings);

    /// <summary>What an operator should know of why this replica is not in service, or a peer of it; null if nothing.
    /// </summary>
    public string? Reason(TimeSpan now)
    {
        if (_barred != null) return _barred;
        foreach (var stranger in _strangers.Values)
            if (stranger.Text != null && now - stranger.HeardAt < Lately) return stranger.Text;
        if (Trouble(now) is { } trouble) return trouble;
        if (_transfer is { } transfer) return transfer.Progress(now);
        if (now < _transferNotBefore && LacksEntries)
            return "a peer's state, which it needs, could not be written here; it is tried again";
        if (_view.Epoch > Epoch.Zero) return FullAlready;
        var unheard = _options.Nodes.Where(n => n != _self.Node && !_heard.Contains(n)).ToArray();
        return unheard.Length == 0 ? null
            : $"the first start needs all nodes once: nothing was heard of {string.Join(", ", unheard)} yet";
    }

    internal static ulong Fingerprint(IReadOnlyList<Setting> settings) =>
        XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(string.Concat(settings.Select(s => $"{s.Name}={s.Value}\n"))));

    // What the folder says must fit the configuration: the set of nodes is fixed when the first view is made.
    private void CheckOwnFolder()
    {
        if (_view.Epoch == Epoch.Zero) return;
        var made = _view.Members.Select(m => m.Node).ToArray();
        if (!made.ToHashSet().SetEquals(_options.Nodes))
        {
            _barred = $"the data of {_self.Node} is of {Store(Cluster)}, whose nodes are {string.Join(", ", made)}, "
                + $"but recoverkv.members has {string.Join(", ", _options.Nodes)}: a store's nodes are fixed when "
                + "it is made. Correct recoverkv.members, or dump this store and load it into a new one";
        }
        else if (_view.FrameSize > _options.FrameSize)
        {
            _barred = $"recoverkv.frame-size is {_options.FrameSize} bytes, but {Store(Cluster)} may hold writes for "
                + $"{_view.FrameSize}: it can be raised, not lowered";
        }

        if (_barred != null) Warn($"{_self} takes no part: {_barred}");
    }

    /// <returns>Whether the message is this replica's business.</returns>
    private bool Accepts(Header header, PeerMessage message)
    {
        var why = Refusal(header, message);
        if (why == null && message is not Hello && _barred == null)
        {
            if (_strangers.Count > 0) _strangers.Remove(header.From.Node);
            if (_view.Epoch == Epoch.Zero) _heard.Add(header.From.Node);
            _senderCluster = header.Cluster;
            return true;
        }

        if (message is Hello hello && header.IsReadable && header.To == _self.Node) why ??= Difference(header, hello);
        if (why == null && message is Hello) return false;
        TurnAway(header, why ?? _barred, answer: message is not Hello || why != null);
        return false;
    }

    // Null where nothing is wrong; empty where a Hello must tell what it is.
    private string? Refusal(Header header, PeerMessage message)
    {
        if (!header.IsReadable)
        {
            return $"{header.From} speaks version {header.Version} of the messages between nodes, this build "
                + $"{Header.OldestVersion} to {Header.CurrentVersion}: the older of both must be updated";
        }

        if (header.To != _self.Node)
        {
            return $"{header.From} takes this node, {_self.Node}, for {header.To}: an address in recoverkv.members "
                + "of one of them is another node's";
        }

        if (header.From.Node == _self.Node) return $"another node, {header.From}, has the name of this one";
        if (!_options.Nodes.Contains(header.From.Node)) return $"{header.From} is no node of recoverkv.members";
        if (header.Cluster != Cluster && !IsOfThisStore(header, message) && !Mutated(Mutations.AnyClusterTrusted))
        {
            return $"{header.From} is of {Store(header.Cluster)}, {_self} of {Store(Cluster)}: the folder or an "
                + "address of one of them is another store's, and they take no part in each other";
        }

        return header.Settings == _settings || message is Hello ? null : "";
    }

    // An incarnation is as much of its own as the id of a store: a member is known by it, whichever id it knows. So a
    // store of an older build, which has no id yet, gets one by its next view.
    private bool IsOfThisStore(Header header, PeerMessage message)
    {
        if (_view.HasMember(header.From)) return true;
        if (Cluster == Guid.Empty) return _view.Epoch == Epoch.Zero;
        return header.Cluster == Guid.Empty && ClaimsNothing(message);
    }

    // What a replica says that has no view yet: nothing of it counts before a view takes it in (R11).
    private static bool ClaimsNothing(PeerMessage message) => message switch
    {
        Canvass m => m.View == Epoch.Zero,
        Promise m => m.View.Epoch == Epoch.Zero,
        CanvassReply or Refuse or HeartbeatAck or Appended or ViewWanted or AcceptedView or Fetch or Synchronized
            or Leaving or Hello => true,
        _ => false,
    };

    private string? Difference(Header header, Hello hello)
    {
        foreach (var (name, value) in _options.Agreed)
        {
            var other = hello.Settings.FirstOrDefault(s => s.Name == name).Value;
            if (other != value)
                return $"{header.From} has {name} = {other ?? "(none)"}, {_self} has {value}: "
                    + "it must be the same on all nodes";
        }

        return header.Settings == _settings ? null : $"{header.From} has other settings than {_self}";
    }

    private void TurnAway(Header header, string? why, bool answer)
    {
        var node = header.From.Node != _self.Node && _options.Nodes.Contains(header.From.Node)
            ? header.From.Node
            : NodeId.None;
        if (!_strangers.TryGetValue(node, out var stranger)) _strangers.Add(node, stranger = new Stranger());
        var text = why is { Length: > 0 } ? why : stranger.Header == header ? stranger.Text : null;
        var isNew = text != stranger.Text;
        (stranger.Header, stranger.Text, stranger.HeardAt) = (header, text, _now);
        if (text != null && text != _barred && _now - stranger.SaidAt >= (isNew ? SayAgain : Remind))
        {
            stranger.SaidAt = _now;
            Warn(text);
        }

        // Only configured nodes are answered, at their configured addresses.
        if (!answer || node == NodeId.None || _now - stranger.ToldAt < SayAgain) return;
        stranger.ToldAt = _now;
        Send(node, new Hello([.. _options.Agreed]));
    }

    private static string Store(Guid cluster) =>
        cluster == Guid.Empty ? "a store without an id" : $"store {cluster.ToString("N")[..8]}";

    private void Warn(string text) => Effects.Add(new Effect.Warning(text));
}
