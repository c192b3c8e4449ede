namespace RecoverKV.Client;

/// <summary>Times of the client in milliseconds, and how much it lets wait.</summary>
internal static class Timing
{
    /// <summary>How often deadlines and retries are looked after; one timer serves all calls.</summary>
    internal const int Sweep = 20;

    /// <summary>Contact points are asked again after this, and a node that could not be reached is not tried
    /// before.</summary>
    internal const int ConnectRetry = 200;

    /// <summary>A connection must be there within this. A node that is cut off must not block its connection for longer
    /// than a call lasts.</summary>
    internal const int Connect = 2000;

    /// <summary>A connection over which nothing came for so long after something was sent is given up. Long enough that
    /// a busy machine is not taken for a cut line.</summary>
    internal const int ConnectionSilence = 6000;

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

    /// <summary>A node that does not answer a write within this is asked whether it is there, and others who leads.
    /// </summary>
    internal const int WriteRetry = 500;

    /// <summary>A write that the node has got and did not answer within this is sent again; doubles with each time.
    /// </summary>
    internal const int WriteRetryMost = 2000;

    /// <summary>So many round trips of a question are waited too: an answer takes at least as long.</summary>
    internal const int WriteRetryTrips = 8;

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

    /// <summary>More of a kind may be under way to a node while less than this is: see
    /// <see cref="Connection.ByteWindow"/>.
    /// </summary>
    internal const int WindowLeast = 1024 * 1024;

    /// <summary>As far as that goes up where answers come quickly.</summary>
    internal const int WindowMost = 16 * 1024 * 1024;

    /// <summary>An answer within this was quick.</summary>
    internal const int Brisk = 100;

    /// <summary>An answer after more than this was slow.</summary>
    internal const int Sluggish = 500;

    /// <summary>The bytes that a version is taken to have while no answer has told.</summary>
    internal const int VersionBytes = 16 * 1024;

    /// <summary>How much longer an answer may take because so many bytes are under way with it: they cross a link of
    /// 8 Mbit/s in that time.</summary>
    internal static int Crossing(long bytes) => (int)(bytes / 1000);

    /// <summary>How long to wait after the given number of refusals in a row, at least one: with jitter, so that
    /// clients do not come back together.</summary>
    internal static int BackoffAfter(int refusals, Random random)
    {
        var full = Math.Min(BackoffMost, Backoff << Math.Min(refusals - 1, 10));
        return full / 2 + random.Next(full / 2 + 1);
    }
}
