using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

public class FramesSpec
{
    private const int Longest = 1 << 20;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Frames_come_out_as_they_went_in_however_the_stream_is_cut(int seed)
    {
        var random = new Random(seed);
        var reader = new FrameReader(Longest);
        var writer = new FrameWriter(8 * Longest);
        var expected = new Queue<byte[]>();
        for (var round = 0; round < 200; round++)
        {
            for (var i = random.Next(1, 20); i > 0; i--)
            {
                var payload = new byte[random.Next(random.Next(5) == 0 ? 100_000 : 200)];
                random.NextBytes(payload);
                Assert.True(writer.TryAdd(payload));
                expected.Enqueue(payload);
            }

            Assert.True(writer.TryTake(out var stream));
            while (!stream.IsEmpty)
            {
                var room = reader.Room();
                var piece = Math.Min(stream.Length, random.Next(1, Math.Min(room.Length, random.Next(1, 50_000)) + 1));
                stream[..piece].CopyTo(room);
                stream = stream[piece..];
                reader.Received(piece);
                while (reader.TryRead(out var frame)) Assert.Equal(expected.Dequeue(), frame);
            }

            Assert.Empty(expected);
        }
    }

    [Theory]
    [InlineData(Longest + 1)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void A_length_that_no_frame_has_is_refused(int length) =>
        Assert.Throws<InvalidDataException>(() => ReaderAfter(BitConverter.GetBytes(length)).TryRead(out _));

    [Fact]
    public void A_header_alone_takes_no_memory()
    {
        var reader = ReaderAfter(BitConverter.GetBytes(Longest));
        Assert.False(reader.TryRead(out _));
        Assert.InRange(reader.Room().Length, 1, 20_000);
    }

    [Fact]
    public void What_was_taken_stays_while_more_is_added()
    {
        var writer = new FrameWriter(1000);
        writer.TryAdd([1, 2, 3]);
        Assert.True(writer.TryTake(out var taken));
        writer.TryAdd([4, 5, 6]);
        Assert.Equal([3, 0, 0, 0, 1, 2, 3], taken.ToArray());
        Assert.True(writer.TryTake(out taken));
        Assert.Equal([3, 0, 0, 0, 4, 5, 6], taken.ToArray());
        Assert.False(writer.TryTake(out _));
    }

    [Fact]
    public void No_more_waits_than_may()
    {
        var writer = new FrameWriter(20);
        Assert.True(writer.TryAdd(new byte[16]));
        Assert.False(writer.TryAdd([]));
        Assert.True(writer.TryTake(out var taken));
        Assert.Equal(20, taken.Length);
        Assert.True(writer.TryAdd([]));
    }

    [Fact]
    public void A_frame_of_two_parts_is_one()
    {
        var writer = new FrameWriter(12);
        Assert.False(writer.TryAdd([1, 2], new byte[7]));
        Assert.True(writer.TryAdd([1, 2], new byte[] { 3 }));
        Assert.True(writer.TryAdd([], new byte[] { 4 }));
        Assert.True(writer.TryTake(out var taken));
        Assert.Equal([3, 0, 0, 0, 1, 2, 3, 1, 0, 0, 0, 4], taken.ToArray());
    }

    /// <summary>After a greeting, whose frames are short.</summary>
    [Fact]
    public void How_long_a_frame_may_be_can_change_between_two()
    {
        var reader = new FrameReader(1);
        new byte[] { 1, 0, 0, 0, 7, 2, 0, 0, 0, 8, 9 }.CopyTo(reader.Room());
        reader.Received(11);
        Assert.True(reader.TryRead(out var first));
        Assert.Equal([7], first);
        Assert.Throws<InvalidDataException>(() => reader.TryRead(out _));
        reader.Longest = 2;
        Assert.True(reader.IsAmidFrame);
        Assert.True(reader.TryRead(out var second));
        Assert.Equal([8, 9], second);
        Assert.False(reader.IsAmidFrame);
    }

    private static FrameReader ReaderAfter(byte[] bytes)
    {
        var reader = new FrameReader(Longest);
        bytes.CopyTo(reader.Room());
        reader.Received(bytes.Length);
        return reader;
    }
}
