using System.Globalization;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// A node's data folder: <c>identity</c>, <c>journal.db</c> and the <c>lock</c> that keeps it to one process. A journal
/// without its identity, or an identity without its journal, is never trusted: the one would be another replica's, the
/// other the loss of promises and entries under an old name (R11).
/// </summary>
/// <remarks>
/// The journal is created first and the identity, which vouches for it, last; a retirement first renames the identity
/// and moves it last. So each file tells how far an interrupted change had come, and <see cref="Open"/> finishes it.
/// Not thread-safe.
/// </remarks>
public sealed class DataFolder : IDisposable
{
    private const string HealFromName = "heal-from";
    private readonly FolderLock _lock;
    private readonly NodeId _node;
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

    /// <summary>The replica whose folder it is.</summary>
    public MemberId Member { get; private set; }

    /// <summary>R12: the store that the replica belongs to; empty before its first view. On disk when the setter returns.
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

    /// <summary>Whether this start made it: the replica holds nothing and has promised nothing.</summary>
    public bool IsNew { get; private set; }

    /// <summary>The name of the replica in the journal.</summary>
    public string PersistenceId => PersistenceIdOf(Member);

    /// <summary>Whether the replica has journalled anything: a journal that is empty all the same has lost what it
    /// had, promises included (R11).</summary>
    public bool IsUsed => File.Exists(UsedFile);

    /// <summary>For tests: the peers that this node may fill its gaps from, until that is lifted, over restarts too; null
    /// for all.</summary>
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

    private string UsedFile => In("used");

    private string HealFromFile => In(HealFromName);

    private string IdentityFile => In("identity");

    private string RetiringFile => In("retiring");

    /// <summary>Opens the folder of a node, or makes it.</summary>
    /// <exception cref="NodeFailedException">It is in use, damaged, of another node, or cannot be written.</exception>
    public static DataFolder Open(string path, NodeId node)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            if (File.Exists(path)) throw new NodeFailedException($"The data folder {path} is a file.");
            DurableFiles.CreateFolder(path);
            var taken = FolderLock.Take(path);
            try
            {
                var folder = new DataFolder(path, node, taken);
                folder.FinishRetirement();
                folder.OpenOrCreate();
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
            throw new NodeFailedException($"The data folder {path} cannot be used: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>R11: moves everything aside, into a folder <c>retired-N</c>, and starts over under a new incarnation.
    /// The journal must not be in use.</summary>
    public void Retire()
    {
        JournalFile.Close(Journal);
        DurableFiles.Move(IdentityFile, RetiringFile);
        FinishRetirement();
        Create();
    }

    /// <summary>To be called before the first fact is journalled; on disk when it returns.</summary>
    public void MarkUsed()
    {
        if (!IsUsed) DurableFiles.Write(UsedFile, "");
    }

    /// <summary>Lets go of the folder. The journal must not be in use.</summary>
    public void Dispose()
    {
        JournalFile.Close(Journal);
        _lock.Dispose();
    }

    /// <summary>The name of a replica in its journal.</summary>
    internal static string PersistenceIdOf(MemberId member) => $"replica-{member.Node}-{member.Incarnation:D}";

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
                $"The data folder {Path} is of the node {identity.Member.Node}, not of {_node}: each node needs its own.");
        if (!File.Exists(Journal))
            throw new NodeFailedException(
                $"{Journal} is missing, though the node {_node} had one. {JournalFile.HowToStartOver(Journal)}");
        (Member, _cluster) = (identity.Member, identity.Cluster);
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
        // A replica that starts over knows its store, and makes no new one with others that lost theirs (R12).
        if (_cluster == Guid.Empty && LastRetired > 0)
            _cluster = Storage.Identity.Parse(File.ReadAllText(In(Retired(LastRetired), "identity")))?.Cluster ?? Guid.Empty;
        File.Delete(UsedFile);
        JournalFile.Create(Journal);
        DurableFiles.Write(IdentityFile, new Identity(Member, _cluster).Text);
    }

    private void FinishRetirement()
    {
        if (!File.Exists(RetiringFile)) return;
        var retired = Retired(LastRetired + 1);
        DurableFiles.CreateFolder(In(retired));
        foreach (var file in JournalFile.Files(Journal).ToList())
            DurableFiles.Move(file, In(retired, System.IO.Path.GetFileName(file)));
        DurableFiles.Move(RetiringFile, In(retired, "identity"));
    }

    /// <summary>The number of the last folder that was set aside; 0 if none was.</summary>
    private int LastRetired
    {
        get
        {
            var number = 0;
            while (File.Exists(In(Retired(number + 1), "identity"))) number++;
            return number;
        }
    }

    private static string Retired(int number) => $"retired-{number.ToString(CultureInfo.InvariantCulture)}";

    private string In(params string[] names) => System.IO.Path.Combine([Path, .. names]);
}
