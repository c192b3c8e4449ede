using System.Runtime.CompilerServices;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Host.Commands;

/// <summary>R10: the state of the store at one uid, as a node's checkpoint has it, made for it: what was written before
/// is there.</summary>
internal static class StateParts
{
    private static readonly TimeSpan CatchUp = TimeSpan.FromMilliseconds(200);
    private const int MostTries = 50;

    /// <summary>All parts, in the order of the keys; the last one has no next.</summary>
    /// <param name="client">The store.</param>
    /// <param name="node">The node whose checkpoint it is to be; null for one that is ALIVE, best one that does not
    /// lead.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="NotDoneException">No node can give it, or it does not answer, or has made another checkpoint
    /// meanwhile.
    /// </exception>
    public static async IAsyncEnumerable<(BackupPart Part, StateChunk Chunk)> ReadAsync(
        RecoverKvClient client, string? node, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (from, first) = await BeginAsync(client, node, cancellation);
        for (var part = first; ;)
        {
            var chunk = StateCodec.DecodeChunk(part.Part);
            yield return (part, chunk);
            if (chunk.Next is not { } next) break;
            part = await AskAsync(client, from, part.At, StateCodec.Encode(next), cancellation);
            if (part.At < 0)
                throw new NotDoneException($"Node {from} has made another checkpoint meanwhile; try it again.");
        }
    }

    // Whatever was answered by now the sequencer has committed; the checkpoint must have it, too.
    private static async Task<(string Node, BackupPart First)> BeginAsync(
        RecoverKvClient client, string? node, CancellationToken cancellation)
    {
        var nodes = (await client.GetStatusAsync(cancellation)).Nodes;
        var sequencer = nodes.FirstOrDefault(n => n.IsSequencer) ?? throw new NotDoneException(
            "No node leads, so none knows all that was written.");
        string[] givers = node is not null ? [node]
            : [.. nodes.Where(n => n.Mode == NodeMode.Alive).OrderBy(n => n.IsSequencer).Select(n => n.Node)];
        NotDoneException? refusal = null;
        foreach (var giver in givers)
        {
            try
            {
                for (var tries = 0; tries < MostTries; tries++)
                {
                    await client.CheckpointAsync(giver, cancellation);
                    var part = await AskAsync(client, giver, -1, default, cancellation);
                    if (part.At >= sequencer.AppliedUid) return (giver, part);
                    // It gives this one to nobody.
                    await Task.Delay(CatchUp, cancellation);
                }

                refusal = new NotDoneException($"Node {giver} is behind: it has not all that was written.");
            }
            catch (NotDoneException e)
            {
                refusal = e;
            }
        }

        throw refusal ?? new NotDoneException("No node is ALIVE, so none has all that was written.");
    }

    private static async Task<BackupPart> AskAsync(
        RecoverKvClient client, string node, long at, ReadOnlyMemory<byte> after, CancellationToken cancellation) =>
        await client.BackupPartAsync(node, at, after, cancellation)
        ?? throw new NotDoneException($"Node {node} does not answer.");

    /// <summary>All keys with their values, in their order, as they are at one uid.</summary>
    /// <exception cref="NotDoneException">As above.</exception>
    public static async IAsyncEnumerable<ScanItem> ItemsAsync(
        RecoverKvClient client, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var (_, chunk) in ReadAsync(client, null, cancellation))
        {
            foreach (var record in chunk.Part.Keys)
                yield return new ScanItem(new Key(record.Key), new Version(record.Value, record.Uid));
        }
    }
}
