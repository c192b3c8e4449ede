using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Storage;

/// <summary>R10: what a checkpoint says of itself.</summary>
/// <param name="Replica">Whose it is: the name of the replica in its journal.</param>
/// <param name="Cluster">R12: of which store.</param>
/// <param name="Revision">The revision of its uid.</param>
/// <param name="Keys">How many keys it has.</param>
/// <param name="Digest">The digest of its keys.</param>
/// <param name="Sessions">How many sessions it has.</param>
/// <param name="SessionBytes">Roughly what their answers take in memory.</param>
/// <param name="Base">Where the log goes on.</param>
internal sealed record StoreHead(
    string Replica, Guid Cluster, long Revision, long Keys, ulong Digest, long Sessions, long SessionBytes,
    LogBase Base)
{
    /// <summary>What it has as a whole.</summary>
    public StateTotals Totals => new(Revision, Keys, Digest, Sessions, SessionBytes);

    /// <summary>Writes it into the parameters of an insert.</summary>
    public void WriteTo(SqliteParameterCollection parameters)
    {
        var log = LogBaseCodec.Encode(Base);
        parameters.AddWithValue("$replica", Replica);
        parameters.AddWithValue("$cluster", Cluster.ToByteArray(bigEndian: true));
        parameters.AddWithValue("$uid", Base.Applied.Value);
        parameters.AddWithValue("$revision", Revision);
        parameters.AddWithValue("$keys", Keys);
        parameters.AddWithValue("$digest", (long)Digest);
        parameters.AddWithValue("$sessions", Sessions);
        parameters.AddWithValue("$session_bytes", SessionBytes);
        parameters.AddWithValue("$log", log);
        parameters.AddWithValue("$checksum", (long)Checksum(log));
    }

    /// <summary>Reads it; null if there is none.</summary>
    /// <exception cref="FormatException">It is damaged.</exception>
    public static StoreHead? Read(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT replica, cluster, revision, keys, digest, sessions, session_bytes, log, checksum FROM checkpoint";
        using var reader = command.ExecuteReader();
        if (!reader.Read()) return null;
        var (cluster, log) = (reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<byte[]>(7));
        if (cluster.Length != 16) throw Damaged();
        var head = new StoreHead(
            reader.GetString(0), new Guid(cluster, bigEndian: true), reader.GetInt64(2), reader.GetInt64(3),
            (ulong)reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6), LogBase.None);
        if (head.Checksum(log) != (ulong)reader.GetInt64(8)) throw Damaged();
        return head with { Base = OtherFormException.UnlessKnown(() => LogBaseCodec.Decode(log)) };
    }

    private static FormatException Damaged() => new("its head is damaged");

    private ulong Checksum(byte[] log)
    {
        Span<byte> numbers = stackalloc byte[5 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, Revision);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], Keys);
        BinaryPrimitives.WriteUInt64LittleEndian(numbers[16..], Digest);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[24..], Sessions);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[32..], SessionBytes);
        var hash = XxHash3.HashToUInt64(numbers, (long)XxHash3.HashToUInt64(log));
        hash = XxHash3.HashToUInt64(Cluster.ToByteArray(), (long)hash);
        return XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(Replica), (long)hash);
    }
}
