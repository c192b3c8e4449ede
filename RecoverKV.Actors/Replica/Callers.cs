using System.Text;
using Akka.Actor;
using RecoverKV.Actors.Gateway;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Replica;

/// <summary>
/// Clients that wait for answers, and what is to be said to them: the answers of one step go to each client as few
/// messages, each within the frame. Values are slices of the state until they are encoded, so that what may become
/// large are the messages: a step makes no more than <see cref="StepBytes"/> of answers to reads for one client, who
/// then asks again. Used by one actor.
/// </summary>
internal sealed class Callers(int maxMessageBytes)
{
    /// <summary>The most bytes of answers to reads of one client in one step.</summary>
    internal const long StepBytes = 8L * 1024 * 1024;

    private const int MostCallers = 10_000;
    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(30);
    private readonly Dictionary<IActorRef, Caller> _callers = [];
    private readonly List<Caller> _waiting = [];

    private sealed class Caller(IActorRef client) : ICaller
    {
        public IActorRef Client { get; } = client;
        public Share Share { get; } = new();
        public TimeSpan UsedAt { get; set; }
        public List<WriteAnswer> Writes { get; set; } = [];
        public List<ReadAnswer> Reads { get; set; } = [];
        public long ReadBytes { get; set; }
    }

    /// <summary>The caller that stands for a client.</summary>
    public ICaller Of(IActorRef client, TimeSpan now)
    {
        if (!_callers.TryGetValue(client, out var caller))
        {
            // Who is forgotten is simply made anew; who waits for an answer is known to those who will give it.
            if (_callers.Count >= MostCallers) _callers.Clear();
            _callers.Add(client, caller = new Caller(client));
        }

        caller.UsedAt = now;
        return caller;
    }

    /// <summary>Forgets clients that were not heard for long.</summary>
    public void Forget(TimeSpan now)
    {
        foreach (var (client, caller) in _callers)
            if (now - caller.UsedAt > Forgotten) _callers.Remove(client);
    }

    /// <summary>Keeps an answer until <see cref="Flush"/>.</summary>
    public void Answer(ICaller to, WriteAnswer answer) => Waiting(to).Writes.Add(answer);

    /// <summary>Keeps an answer until <see cref="Flush"/>.</summary>
    public void Answer(ICaller to, ReadAnswer answer)
    {
        var caller = Waiting(to);
        var bytes = Math.Min(SizeOf(answer), maxMessageBytes);
        if (answer.Status == ReadStatus.Done && !MayAnswer(caller, bytes))
        {
            caller.Reads.Add(new ReadAnswer(answer.Id, ReadStatus.Busy, []));
            return;
        }

        caller.ReadBytes += bytes;
        caller.Reads.Add(answer);
    }

    // What waits in its connection already counts, too.
    private static bool MayAnswer(Caller caller, long bytes)
    {
        if (caller.ReadBytes == 0) return true;
        bytes += caller.ReadBytes;
        return bytes <= StepBytes && (caller.Client is not ClientConnection connection || connection.MayAnswer(bytes));
    }

    /// <summary>A page with a single item may be too large, if the node took larger values once.</summary>
    public ScanReply Fit(ScanReply page) =>
        page.Items.Count != 1
            || page.Items[0] is var item && item.Key.Length + item.Version.Value.Length <= maxMessageBytes
            ? page
            : new ScanReply(page.Id, ReadStatus.Invalid, [], default, null,
                $"a value of {page.Items[0].Version.Value.Length} bytes does not fit recoverkv.frame-size");

    /// <summary>Sends an answer that is a message of its own.</summary>
    public static void Send(ICaller to, IClientMessage message, IActorRef sender) =>
        ((Caller)to).Client.Tell(message, sender);

    /// <summary>Sends all kept answers; the view goes with those that need it.</summary>
    public void Flush(Func<ClusterView> view, IActorRef sender)
    {
        foreach (var caller in _waiting)
        {
            foreach (var part in Parts(caller.Writes, SizeOf, Fit))
            {
                var redirects = part.Exists(a => a.Status == WriteStatus.NotSequencer);
                caller.Client.Tell(new WriteReplies(part, redirects ? view() : null), sender);
            }

            foreach (var part in Parts(caller.Reads, SizeOf, Fit))
            {
                var redirects = part.Exists(a => a.Status == ReadStatus.NotAlive);
                caller.Client.Tell(new ReadReplies(part, redirects ? view() : null), sender);
            }

            // The messages own their lists from now on.
            caller.Writes = [];
            caller.Reads = [];
            caller.ReadBytes = 0;
        }

        _waiting.Clear();
    }

    private Caller Waiting(ICaller to)
    {
        var caller = (Caller)to;
        if (caller.Writes.Count == 0 && caller.Reads.Count == 0) _waiting.Add(caller);
        return caller;
    }

    private IEnumerable<List<T>> Parts<T>(List<T> answers, Func<T, long> sizeOf, Func<T, T> fit)
    {
        long total = 0;
        foreach (var answer in answers) total += sizeOf(answer);
        if (answers.Count == 0) yield break;
        if (total <= maxMessageBytes && answers.Count <= ClientLimits.BatchItems)
        {
            yield return answers;
            yield break;
        }

        var part = new List<T>();
        total = 0;
        foreach (var answer in answers)
        {
            var size = sizeOf(answer);
            if (part.Count == ClientLimits.BatchItems || part.Count > 0 && total + size > maxMessageBytes)
            {
                yield return part;
                (part, total) = ([], 0);
            }

            part.Add(size > maxMessageBytes ? fit(answer) : answer);
            total += Math.Min(size, maxMessageBytes);
        }

        yield return part;
    }

    private static long SizeOf(WriteAnswer answer) => 64 + SizeOf(answer.Previous) + SizeOf(answer.Text);

    private static long SizeOf(ReadAnswer answer) => 64 + SizeOf(answer.Versions) + SizeOf(answer.Text);

    private static long SizeOf(string? text) => text == null ? 0 : Encoding.UTF8.GetMaxByteCount(text.Length);

    private static long SizeOf(IReadOnlyList<Client.Contracts.Version?> versions)
    {
        long size = 0;
        for (var i = 0; i < versions.Count; i++) size += 24 + (versions[i]?.Value.Length ?? 0);
        return size;
    }

    // A write that is done must be answered: what it replaced is left out.
    private static WriteAnswer Fit(WriteAnswer answer) => answer with { Previous = [], PreviousOmitted = true };

    private static ReadAnswer Fit(ReadAnswer answer) => answer with
    {
        Status = ReadStatus.Invalid,
        Versions = [],
        Text = "the values of these keys do not fit one message: read fewer keys at a time",
    };
}
