using System.Globalization;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// A node's data folder: <c>identity</c>, <c>journal.db</c>, <c>journal.count</c> (<see cref="JournalCount"/>), once
/// there is a checkpoint <c>store.db</c>, and the <c>lock</c> that keeps it to one process. A journal without its
/// identity, or an identity without its journal, is never trusted: the one would be another replica's, the other the
/// loss of promises and entries under an old name (R11).
/// </summary>
/// <remarks>
/// The journal is created first and the identity, which vouches for it, last; a retirement first renames the identity
/// and moves it last. So each file tells how far an interrupted change had come, and <see cref="Open"/> finishes it.
/// Not thread-safe.
/// </remarks>
public sealed class DataFolder : IDisposable
{
    private const string HealFromName = "heal-from";
    internal const string IdentityName = "identity";
    private const string Retired = "retired-";
    private const string Damaged = "damaged-";
    private const string ReplicaPrefix = "replica-";

    // What was set aside, for whoever wants to look at it: never all of it, as a disk that loses its data again and
    // again would fill itself.
    private const int RetiredToKeep = 3;

    // So many are no chance: somebody should look at the disk, and at them.
    private const int MostDamaged = 3;
    private readonly FolderLock _lock;
    private readonly NodeId _node;
    private readonly Lock _using = new();
    private bool _isClosed;
    private Guid _cluster;

    private DataFolder(string path, NodeId node, FolderLock taken)
    {
        Path = path;
        _node = node;
        _lock = taken;
    }

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>Full path of the journal.</summary>
    public string Journal => In(JournalFile.Name);

    /// <summary>Full path of the checkpoint; there may be none.</summary>
    public string Store => In(StoreFile.Name);

    /// <summary>The replica whose folder it is.</summary>
    public MemberId Member { get; private set; }

    /// <summary>R12: the store that the replica belongs to; empty before its first view. On disk when the setter
    /// returns.
    /// </summary>
    public Guid Cluster
    {
        get => _cluster;
        set
        {
            DurableFiles.Write(IdentityFile, new Identity(Member, value).Text);
            _cluster = value;
        }
    }

    /// <summary>What was set aside at this start, and why; null if nothing was.</summary>
    public string? Notice { get; private set; }

    /// <summary>Whether this start made it: the replica holds nothing and has promised nothing.</summary>
    public bool IsNew { get; private set; }

    /// <summary>The name of the replica in the journal.</summary>
    public string PersistenceId => PersistenceIdOf(Member);

    /// <summary>R11: the number of a fact that the journal has had, or 0: a journal that ends before it has lost its
    /// tail.</summary>
    public long DurableFacts { get; private set; }

    /// <summary>R11: whether this replica succeeds another one that had lost its data: so there was a store.</summary>
    public bool IsSuccessor => RetiredFolders().Any() || DamagedFolders().Length > 0;

    /// <summary>For tests: the peers that this node may fill its gaps from, until that is lifted, over restarts too;
    /// null for all.</summary>
    public NodeId[]? HealFrom
    {
        get => File.Exists(HealFromFile) ? [.. File.ReadAllLines(HealFromFile).Select(n => new NodeId(n))] : null;
        set
        {
            if (value is null) File.Delete(HealFromFile);
            else DurableFiles.Write(HealFromFile, string.Join('\n', value));
        }
    }

    /// <summary>Lifts <see cref="HealFrom"/> of a folder that no node has open.</summary>
    public static void LiftHealFrom(string folder) => File.Delete(System.IO.Path.Combine(folder, HealFromName));

    // Builds before journal.count made this file before the first fact.
    private string UsedFile => In("used");

    private string CountFile => In(JournalCount.Name);

    private string HealFromFile => In(HealFromName);

    private string IdentityFile => In(IdentityName);

    private string RetiringFile => In("retiring");

    private string AsideFile => In("aside");

    /// <summary>Opens the folder of a node, or makes it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="node">The node.</param>
    /// <param name="setDamagedAside">R11: whether what is damaged goes aside, and the node starts over.</param>
    /// <exception cref="NodeFailedException">It is in use, damaged, of another node, or cannot be written.</exception>
    public static DataFolder Open(string path, NodeId node, bool setDamagedAside = false)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            if (File.Exists(path)) throw new NodeFailedException($"The data folder {path} is a file.");
            DurableFiles.CreateFolder(path);
            DiskRoom.GiveBack(path);
            var taken = FolderLock.Take(path);
            try
            {
                var folder = new DataFolder(path, node, taken);
                folder.FinishRetirement();
                try
                {
                    folder.OpenOrCreate();
                }
                catch (DamagedFolderException damage) when (setDamagedAside)
                {
                    folder.Notice = folder.SetAside(damage);
                    if (folder.Notice is null) throw;
                }

                return folder;
            }
            catch
            {
                taken.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var message = $"The data folder {path} cannot be used: {e.OneLine()}";
            throw DurableFiles.IsFull(e)
                ? new StorageUnavailableException(message, e)
                : new NodeFailedException(message, e);
        }
    }

    /// <summary>R11: moves everything aside, into a folder <c>retired-N</c>, and starts over under a new incarnation.
    /// As others have all that is committed then, only the newest few of such folders are kept. The journal must not be
    /// in use.</summary>
    public void Retire()
    {
        JournalFile.Close(Journal);
        DurableFiles.Move(IdentityFile, RetiringFile);
        FinishRetirement();
        foreach (var (_, old) in RetiredFolders().OrderByDescending(r => r.Number).Skip(RetiredToKeep))
            Directory.Delete(old, recursive: true);
        Create();
    }

    /// <summary>R11: what is damaged goes aside, into a folder <c>damaged-DATE</c>, and this node starts over under a
    /// new incarnation. None of them is deleted, as nobody knows whether the others have all that it had. The journal
    /// must not be in use.</summary>
    /// <returns>What to tell the operator; null if there are too many of them, so that somebody has to look.</returns>
    internal string? SetAside(DamagedFolderException damage)
    {
        if (DamagedFolders().Length >= MostDamaged) return null;
        var name = Damaged + DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture);
        JournalFile.Close(Journal);
        // A start that finds the change interrupted knows by it where the rest belongs.
        DurableFiles.Write(AsideFile, name);
        DurableFiles.Move(IdentityFile, RetiringFile);
        FinishRetirement();
        Create();
        return $"{damage.Damage}. What {Path} had is in {In(name)} now, and the node starts over from its peers";
    }

    /// <summary>Lets go of the folder. The journal must not be in use.</summary>
    public void Dispose()
    {
        lock (_using) _isClosed = true;
        JournalFile.Close(Journal);
        _lock.Dispose();
    }

    /// <summary>Does something with the folder if it is still this node's, which does not let go of it meanwhile.
    /// Thread-safe.</summary>
    internal T? Use<T>(Func<T> what)
    {
        lock (_using) return _isClosed ? default : what();
    }

    /// <summary>The name of a replica in its journal.</summary>
    internal static string PersistenceIdOf(MemberId member) => $"{ReplicaPrefix}{member.Node}-{member.Incarnation:D}";

    /// <summary>Whose name it is in a journal; null if it is nobody's.</summary>
    internal static MemberId? MemberOf(string persistenceId)
    {
        const int incarnation = 36;
        if (persistenceId.Length <= ReplicaPrefix.Length + incarnation + 1) return null;
        return persistenceId.StartsWith(ReplicaPrefix, StringComparison.Ordinal)
            && Guid.TryParseExact(persistenceId[^incarnation..], "D", out var made)
                ? new MemberId(new NodeId(persistenceId[ReplicaPrefix.Length..^(incarnation + 1)]), made)
                : null;
    }

    private void OpenOrCreate()
    {
        var hasJournal = JournalFile.Files(Journal).Any();
        if (!File.Exists(IdentityFile))
        {
            if (hasJournal) RemoveUnfinished();
            Create();
            return;
        }

        var identity = Identity.Parse(File.ReadAllText(IdentityFile)) ?? throw new NodeFailedException(
            $"{IdentityFile} is damaged or of another version. {JournalFile.HowToStartOver(Journal)}");
        if (identity.Member.Node != _node)
            throw new NodeFailedException(
                $"The data folder {Path} is of the node {identity.Member.Node}, not of {_node}: "
                + "each node needs its own.");
        (Member, _cluster) = (identity.Member, identity.Cluster);
        if (!File.Exists(Journal))
            throw new DamagedFolderException(
                $"{Journal} is missing, though the node {_node} had one", JournalFile.HowToStartOver(Journal), null);
        DurableFacts = JournalCount.Read(CountFile, PersistenceId) ?? (File.Exists(UsedFile) ? 1 : 0);
        JournalFile.Check(Journal, PersistenceId);
    }

    /// <summary>A journal without an identity is what a crash in <see cref="Create"/> leaves, if it is empty.</summary>
    private void RemoveUnfinished()
    {
        if (!File.Exists(Journal) || !JournalFile.IsEmpty(Journal))
            throw new NodeFailedException(
                $"{Path} has a journal, but {IdentityFile} is missing. {JournalFile.HowToStartOver(Journal)}");
        JournalFile.Delete(Journal);
    }

    private void Create()
    {
        Member = new MemberId(_node, Guid.NewGuid());
        IsNew = true;
        DurableFacts = 0;
        // A replica that starts over knows its store, and makes no new one with others that lost theirs (R12).
        if (_cluster == Guid.Empty && LastAside() is { } last
            && File.Exists(System.IO.Path.Combine(last, IdentityName)))
            _cluster = Storage.Identity.Parse(File.ReadAllText(System.IO.Path.Combine(last, IdentityName)))?.Cluster
                ?? Guid.Empty;
        File.Delete(UsedFile);
        JournalFile.Create(Journal);
        JournalCount.Create(CountFile, PersistenceId);
        DurableFiles.Write(IdentityFile, new Identity(Member, _cluster).Text);
    }

    private void FinishRetirement()
    {
        if (!File.Exists(RetiringFile))
        {
            // It had not begun, or has ended.
            File.Delete(AsideFile);
            return;
        }

        if (File.Exists(AsideFile))
        {
            MoveTo(In(File.ReadAllText(AsideFile)));
            File.Delete(AsideFile);
            return;
        }

        var number = RetiredFolders().Select(r => r.Number).DefaultIfEmpty(1).Max();
        if (File.Exists(In($"{Retired}{number}", IdentityName))) number++;
        MoveTo(In($"{Retired}{number}"));
    }

    private void MoveTo(string folder)
    {
        DurableFiles.CreateFolder(folder);
        StoreFile.Delete(Store + StoreFile.Incoming);
        StoreFile.Delete(Store + StoreFile.Anew);
        foreach (var file in JournalFile.Files(Journal)
            .Concat(JournalFile.Files(Store)).Append(CountFile).Where(File.Exists).ToList())
            DurableFiles.Move(file, System.IO.Path.Combine(folder, System.IO.Path.GetFileName(file)));
        DurableFiles.Move(RetiringFile, System.IO.Path.Combine(folder, IdentityName));
    }

    // The oldest one first.
    private string[] DamagedFolders() =>
        [.. Directory.EnumerateDirectories(Path, $"{Damaged}*").Order(StringComparer.Ordinal)];

    private string? LastAside() => RetiredFolders().OrderBy(r => r.Number).Select(r => r.Path).Concat(DamagedFolders())
        .OrderBy(Directory.GetCreationTimeUtc).LastOrDefault();

    private IEnumerable<(int Number, string Path)> RetiredFolders()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path, $"{Retired}*"))
        {
            if (int.TryParse(
                System.IO.Path.GetFileName(folder)[Retired.Length..], CultureInfo.InvariantCulture, out var number))
                yield return (number, folder);
        }
    }

    private string In(params string[] names) => System.IO.Path.Combine([Path, .. names]);
}
