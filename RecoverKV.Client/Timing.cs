namespace RecoverKV.Client;

/// <summary>Times of the client in milliseconds, and how much it lets wait.</summary>
internal static class Timing
{
    /// <summary>How often deadlines and retries are looked after; one timer serves all calls.</summary>
    internal const int Sweep = 20;

    /// <summary>Contact points are asked again after this.</summary>
    internal const int ConnectRetry = 200;

    /// <summary>While no sequencer is known, nodes are asked at least this far apart, plus as much jitter.</summary>
    internal const int Poll = 50;

    /// <summary>Even a client that lacks nothing asks for the view this often: a node may be back in-sync.</summary>
    internal const int IdlePoll = 1000;

    /// <summary>A silent node is probed this often.</summary>
    internal const int Probe = 250;

    /// <summary>A read that is not answered within this is asked of another node.</summary>
    internal const int ReadRetry = 250;

    /// <summary>A node that said that it may not answer reads is left alone for this.</summary>
    internal const int NotAlivePause = 100;

    /// <summary>A write that is not answered within this is sent again.</summary>
    internal const int WriteRetry = 500;

    /// <summary>The longest time between two copies of a write.</summary>
    internal const int WriteRetryMost = 2000;

    /// <summary>First pause after a refusal; doubles up to <see cref="BackoffMost"/>.</summary>
    internal const int Backoff = 5;

    /// <summary>The longest pause after a refusal.</summary>
    internal const int BackoffMost = 200;

    /// <summary>A message without any answer stops holding back others after this.</summary>
    internal const int FlightMost = 25;

    /// <summary>Messages of one kind that a node may have without an answer; beyond it calls are gathered.</summary>
    internal const int Flights = 3;

    /// <summary>Most calls in one message.</summary>
    internal const int MessageCalls = 512;

    /// <summary>Up to this many calls go in one message, however few others are under way.</summary>
    internal const int MessageFew = 32;

    /// <summary>Most bytes of keys and values in one message, unless a single call has more.</summary>
    internal const int MessageBytes = 256 * 1024;

    /// <summary>Most bytes of writes that were sent and not answered, unless a single write has more.</summary>
    internal const int WriteBytesOpen = 16 * 1024 * 1024;

    /// <summary>How long to wait after the given number of refusals in a row, at least one: with jitter, so that
    /// clients do not come back together.</summary>
    internal static int BackoffAfter(int refusals, Random random)
    {
        var full = Math.Min(BackoffMost, Backoff << Math.Min(refusals - 1, 10));
        return full / 2 + random.Next(full / 2 + 1);
    }
}
