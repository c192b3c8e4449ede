using System.Buffers.Binary;
using System.IO.Hashing;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Serialization;

/// <summary>The answers of a session in a checkpoint: as a client is sent them. Stateless.</summary>
internal static class SessionCodec
{
    /// <summary>Their bytes.</summary>
    public static byte[] Encode(WriteAnswer[] answers) => WritesCodec.Encode(new WriteReplies(answers)).ToArray();

    /// <summary>Reads them.</summary>
    /// <exception cref="FormatException">They are none.</exception>
    public static WriteAnswer[] Decode(byte[] bytes) => [.. WritesCodec.DecodeReplies(bytes).Answers];

    /// <summary>Of a session.</summary>
    public static ulong Checksum(long id, long lowWater, long used, ReadOnlySpan<byte> answers)
    {
        Span<byte> numbers = stackalloc byte[3 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, id);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], lowWater);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], used);
        return XxHash3.HashToUInt64(answers, (long)XxHash3.HashToUInt64(numbers));
    }
}
