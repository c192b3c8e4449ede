using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Storage;

/// <summary>What was found in a data folder, and what can be made of it.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Member">Whose it is; null if nothing in it says so.</param>
/// <param name="Cluster">R12: of which store; empty if it never was in a view.</param>
/// <param name="View">The newest view that the replica is known to have accepted.</param>
/// <param name="Promised">The highest epoch that it is known to have promised.</param>
/// <param name="Committed">What it is known to have known to be committed.</param>
/// <param name="Highest">The highest uid of an entry that it is known to have had.</param>
/// <param name="Damage">What is missing or damaged; empty if the folder is whole.</param>
/// <param name="IsOfOtherHistory">Whether it contradicts the newest view that was asked for.</param>
/// <param name="Core">The replica, with all applied that can be; null if nothing can be replayed.</param>
internal sealed record RescuedReplica(
    string Path, MemberId? Member, Guid Cluster, View View, Epoch Promised, Uid Committed, Uid Highest,
    IReadOnlyList<string> Damage, bool IsOfOtherHistory, ReplicaCore? Core)
{
    /// <summary>Without what takes memory.</summary>
    public RescuedReplica Found => this with { Core = null };

    /// <summary>Up to here all entries can be used.</summary>
    public Uid Usable { get; init; } = Core?.Applied ?? Uid.Zero;

    /// <summary>The view as of the last fact that can be replayed.</summary>
    public Epoch Replayed { get; init; } = Core?.View.Epoch ?? Epoch.Zero;

    /// <summary>How many keys there are then.</summary>
    public long Keys { get; init; } = Core?.KeyCount ?? 0;

    /// <summary>Whether nothing of it is missing or damaged, as far as can be told.</summary>
    public bool IsWhole => Damage.Count == 0;

    /// <inheritdoc/>
    public override string ToString()
    {
        var store = Cluster == Guid.Empty ? "no store yet" : $"store {Cluster:D}";
        var role = Member is { } member && View.IsInSync(member) ? "in-sync" : "not in-sync";
        var whose = Member is { } known ? $"{known.Node}, {store}" : "of an unknown node";
        var faults = IsWhole ? "" : $"; {string.Join("; ", Damage)}";
        return $"{Path}: {whose}, {role} in view {View.Epoch}, epoch {Promised} promised, committed {Committed}, "
            + $"uids up to {Usable}, {Keys} keys{faults}";
    }
}

/// <summary>R11: one reading of a copied folder: its checkpoint if that is whole, and the facts behind it up to the
/// first that cannot be read. What is said in facts that are of no use for a replay any more is known all the same. Not
/// thread-safe.</summary>
/// <param name="path">The folder itself.</param>
/// <param name="working">Its copy.</param>
/// <param name="identity">Whose it is, if that is known.</param>
/// <param name="count">Its <see cref="JournalCount"/>.</param>
/// <param name="newest">The newest view that any replica has accepted; null for its own.</param>
/// <param name="damage">What is known to be damaged.</param>
internal sealed class RescueReading(
    string path, string working, Identity? identity, string count, View? newest, IReadOnlyList<string> damage)
{
    private readonly List<string> _damage = [.. damage];
    private MemberId? _member = identity?.Member;
    private View _view = View.None;
    private Epoch _promised;
    private Uid _committed, _highest;

    /// <summary>Reads it. What contradicts itself is read up to there, once more.</summary>
    public RescuedReplica Read()
    {
        try
        {
            return Read(long.MaxValue, null);
        }
        catch (ContradictionException e)
        {
            return new RescueReading(path, working, identity, count, newest, damage).Read(e.Fact - 1, e.Message);
        }
    }

    private sealed class ContradictionException(long fact, string message) : Exception(message)
    {
        public long Fact => fact;
    }

    private RescuedReplica Read(long last, string? why)
    {
        var state = new KeyValueState();
        var head = LoadStore(ref state);
        if (head is not null) Know(head.Base);
        _member ??= head is null ? null : DataFolder.MemberOf(head.Replica);
        var core = ReadJournal(head, state, last, why);
        var isOther = core is not null && !core.Rescue(newest ?? core.View);
        var cluster = new[] { _view.Cluster, head?.Cluster ?? Guid.Empty, identity?.Cluster ?? Guid.Empty }
            .FirstOrDefault(c => c != Guid.Empty);
        return new RescuedReplica(
            path, _member, cluster, _view, _promised, _committed, _highest, _damage, isOther, core);
    }

    private StoreHead? LoadStore(ref KeyValueState state)
    {
        var store = Path.Combine(working, StoreFile.Name);
        if (!File.Exists(store)) return null;
        try
        {
            var head = StoreReader.Load(store, state);
            if (head is not null && _member is { } member && head.Replica != DataFolder.PersistenceIdOf(member))
                throw new FormatException($"it is of {head.Replica}");
            return head;
        }
        catch (Exception e) when (RescueJournal.IsUnreadable(e) || e is InvariantViolationException)
        {
            _damage.Add($"{StoreFile.Name} cannot be used: {e.OneLine()}");
            state = new KeyValueState();
            return null;
        }
    }

    private ReplicaCore? ReadJournal(StoreHead? head, KeyValueState state, long last, string? why)
    {
        using var connection = OpenJournal();
        if (_member is null && connection is not null && RescueJournal.ReplicaOf(connection) is { } id)
            _member = DataFolder.MemberOf(id);
        if (_member is not { } member) return null;
        var core = NewCore(member, head, state);
        var persistenceId = DataFolder.PersistenceIdOf(member);
        var (next, end) = (core.FactCount + 1, 0L);
        var (broken, trouble) = (false, why);
        foreach (var row in connection is null ? [] : RescueJournal.Read(connection, persistenceId))
        {
            if (row.Fact is { } said) Know(said);
            end = Math.Max(end, row.Number);
            if (broken || row.Number < next && row.Number > 0) continue;
            if (next > last)
            {
                broken = true;
            }
            else if (row.Number != next || row.Fact is not { } fact)
            {
                broken = true;
                trouble = row.Trouble ?? Missing(next, row.Number, head);
            }
            else
            {
                Replay(core, fact, next++);
            }
        }

        var had = Math.Max(JournalCount.Read(count, persistenceId) ?? 0, head?.Base.Fact ?? 0);
        var all = Math.Max(had, end);
        if (broken) _damage.Add($"{JournalFile.Name} cannot be used behind fact {next - 1} of {all}: {trouble}");
        else if (connection is not null && end < all)
            _damage.Add($"{JournalFile.Name} ends at fact {end}, and had {all}");
        return core;
    }

    private static string Missing(long next, long found, StoreHead? head) =>
        next == 1 && head is null
            ? $"it begins with fact {found}, and needs its checkpoint"
            : $"fact {next} is missing";

    private static void Replay(ReplicaCore core, Fact fact, long number)
    {
        try
        {
            core.Replay(fact);
        }
        catch (Exception e) when (e is InvariantViolationException or FormatException)
        {
            throw new ContradictionException(number, e.OneLine());
        }
    }

    private static ReplicaCore NewCore(MemberId member, StoreHead? head, KeyValueState state)
    {
        var options = new ProtocolOptions { Self = member, Nodes = [member.Node], Run = 1, Seed = 0 };
        return new ReplicaCore(options, head?.Base ?? LogBase.None, state);
    }

    private SqliteConnection? OpenJournal()
    {
        var journal = Path.Combine(working, JournalFile.Name);
        if (!File.Exists(journal))
        {
            _damage.Add($"{JournalFile.Name} is missing");
            return null;
        }

        var connection = new SqliteConnection(JournalFile.ConnectionString(journal, pooling: false));
        try
        {
            connection.Open();
            // A file that was cut off is not read at all else.
            JournalFile.Execute(connection, "PRAGMA writable_schema = ON");
            return connection;
        }
        catch (SqliteException e) when (RescueJournal.IsUnreadable(e))
        {
            connection.Dispose();
            _damage.Add($"{JournalFile.Name} cannot be used: {e.OneLine()}");
            return null;
        }
    }

    private void Know(LogBase from)
    {
        (_view, _promised) = (from.View, Epoch.Max(_promised, from.Promised.Epoch));
        (_committed, _highest) = (Uid.Max(from.Committed, from.Applied), Uid.Max(from.Settled, from.Applied));
    }

    private void Know(Fact fact)
    {
        switch (fact)
        {
            case Promised promised:
                _promised = Epoch.Max(_promised, promised.Epoch);
                break;
            case ViewAccepted accepted:
                if (accepted.View.Epoch > _view.Epoch) _view = accepted.View;
                // What it had behind was no part of the view's log.
                _highest = Uid.Min(_highest, accepted.View.FirstUid.Previous);
                _promised = Epoch.Max(_promised, accepted.View.Epoch);
                _committed = Uid.Max(_committed, accepted.Committed);
                break;
            case EntriesAppended appended:
                _committed = Uid.Max(_committed, appended.Committed);
                _highest = Uid.Max(_highest, appended.Batch.Last);
                break;
        }
    }
}
