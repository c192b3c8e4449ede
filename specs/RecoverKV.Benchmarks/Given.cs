using RecoverKV.Actors.Protocol;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Benchmarks;

/// <summary>What the benchmarks work with: keys of 16 bytes and values of 100.</summary>
internal static class Given
{
    /// <summary>That of a message from this member to the core.</summary>
    public static Header Header(ReplicaCore core, MemberId from) =>
        core.HeaderTo(core.Options.Self.Node) with { From = from };

    /// <summary>How many different keys there are.</summary>
    public const int Keys = 10_000;

    /// <summary>The session of all requests: the uid of the first entry, which opens it.</summary>
    public const long Session = 1;

    private static readonly byte[] Value = new byte[100];
    private static readonly Key[] AllKeys = [.. Enumerable.Range(0, Keys).Select(i => new Key($"bench/{i:D10}"))];

    /// <summary>Opens the session.</summary>
    public static WriteRequest Opening { get; } = WriteRequestCodec.Create(0, 1, 0, []);

    /// <summary>A key.</summary>
    public static Key Key(long number) => AllKeys[number % Keys];

    /// <summary>A put.</summary>
    public static WriteOperation Put(long number) => new(OperationKind.Put, Key(number), Value);

    /// <summary>The put with this number.</summary>
    public static WriteRequest Request(long number) => WriteRequestCodec.Create(Session, number, 0, [Put(number)]);

    /// <summary>So many puts.</summary>
    public static WriteRequest[] Requests(int count) => [.. Enumerable.Range(1, count).Select(i => Request(i))];

    /// <summary>So many reads of a key each.</summary>
    public static Read[] Reads(int count) => [.. Enumerable.Range(1, count).Select(i => new Read(i, [Key(i)]))];

    /// <summary>So many entries from uid 1 on.</summary>
    public static Batch Batch(int count) => new(new Epoch(1), new Uid(1), Requests(count));
}

/// <summary>
/// Requests without end: each differs from the ones before only in its number, which is all that the core looks at, so
/// that making them costs next to nothing.
/// </summary>
internal sealed class RequestStream
{
    private readonly WriteRequest[] _forms = [.. Enumerable.Range(0, Given.Keys).Select(i => Given.Request(i))];
    private long _number;

    /// <summary>The next ones. Answers to those before them are needed no more.</summary>
    public WriteRequest[] Next(int count)
    {
        var requests = new WriteRequest[count];
        var lowWater = _number + 1;
        for (var i = 0; i < count; i++)
        {
            var form = _forms[++_number % _forms.Length];
            requests[i] = new WriteRequest
            {
                Session = Given.Session,
                Number = _number,
                LowWater = lowWater,
                Operations = form.Operations,
                Encoded = form.Encoded,
            };
        }

        return requests;
    }
}
