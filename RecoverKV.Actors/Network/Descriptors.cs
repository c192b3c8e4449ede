using System.Globalization;
using System.Net.Sockets;

namespace RecoverKV.Actors.Network;

/// <summary>
/// Shares out the file descriptors that the system allows a process. Without a bound of its own, who connects takes
/// them all; then neither peers nor the journal get one, and the runtime itself fails. Thread-safe.
/// </summary>
/// <remarks>The system gives the lowest free number: a socket with a high one says that so many are in use.</remarks>
/// <param name="limit">How many the process may have open.</param>
internal sealed class Descriptors(int limit)
{
    /// <summary>How many the process may have open.</summary>
    internal int Limit => limit;

    /// <summary>How many connections that have said nothing yet may wait; more are no sign of clients.</summary>
    internal int Silent => Math.Clamp(limit / 16, 8, 1024);

    // Kept for peers, the journal, logs, and what the runtime opens in between.
    private int Kept => Math.Clamp(limit / 8, 16, 96);

    // Kept from peers as well.
    private int Last => Math.Clamp(limit / 32, 4, 32);

    /// <summary>Of this process; without a limit where the system does not tell one.</summary>
    internal static Descriptors OfThisProcess()
    {
        const string name = "Max open files";
        try
        {
            foreach (var line in File.ReadLines("/proc/self/limits"))
            {
                if (!line.StartsWith(name, StringComparison.Ordinal)) continue;
                var soft = line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
                if (int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                    return new Descriptors(number);
            }
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            // Not Linux.
        }

        return new Descriptors(int.MaxValue);
    }

    /// <summary>Whether a connection may be kept beside all that is open.</summary>
    internal bool MayKeep(Socket connection, bool isPeer) => NumberOf(connection) < limit - (isPeer ? Last : Kept);

    /// <summary>Whether a process that listens by this socket can hold connections at all.</summary>
    /// <exception cref="TooFewDescriptorsException">It cannot.</exception>
    internal void Check(Socket server)
    {
        if (!MayKeep(server, isPeer: false)) throw new TooFewDescriptorsException(limit);
    }

    // Where descriptors have no such numbers, no limit is known either.
    private long NumberOf(Socket socket) => limit == int.MaxValue ? 0 : socket.SafeHandle.DangerousGetHandle();
}

/// <summary>The system allows this process too few file descriptors to hold connections.</summary>
/// <param name="limit">How many it may have open.</param>
internal sealed class TooFewDescriptorsException(int limit) : IOException(
    string.Create(
        CultureInfo.InvariantCulture, $"too few file descriptors: this process may have {limit} open (ulimit -n)"));
