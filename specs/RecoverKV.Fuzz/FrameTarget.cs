using System.Buffers.Binary;
using RecoverKV.Client.Network;
using RecoverKV.Simulation;

namespace RecoverKV.Fuzz;

/// <summary>The frames of a connection, in pieces of any size.</summary>
internal static class FrameTarget
{
    private const int LongestFrame = 64 * 1024;

    public static Target Make() => new("frames", Valid, Decode, e => e is InvalidDataException) { Fixed = 512 * 1024 };

    private static byte[] Valid(Prng random)
    {
        var writer = new FrameWriter(1024 * 1024);
        for (var i = random.Below(6); i >= 0; i--)
        {
            var payload = new byte[random.OneOf(0, 1, 100, random.Below(5000))];
            payload.AsSpan().Fill((byte)i);
            writer.TryAdd(payload);
        }

        return writer.TryTake(out var bytes) ? bytes.ToArray() : [];
    }

    private static void Decode(byte[] stream)
    {
        var pieces = new Prng((ulong)stream.Length);
        var reader = new FrameReader(LongestFrame);
        int given = 0, taken = 0;
        while (given < stream.Length)
        {
            var room = reader.Room();
            var piece = Math.Min(
                Math.Min(room.Length, stream.Length - given), 1 + pieces.Below(pieces.OneOf(3, 1000, 100_000)));
            stream.AsMemory(given, piece).CopyTo(room);
            given += piece;
            reader.Received(piece);
            while (reader.TryRead(out var frame))
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(stream.AsSpan(taken));
                taken += Frame.Header;
                if (length != frame.Length || !stream.AsSpan(taken, length).SequenceEqual(frame))
                    throw new InvalidOperationException($"The frame before byte {taken} is another one.");
                taken += length;
            }
        }

        if (stream.Length - taken > Frame.Header + LongestFrame)
            throw new InvalidOperationException("More waits than a frame can have.");
    }
}
