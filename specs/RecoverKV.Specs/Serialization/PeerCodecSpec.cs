using System.Runtime.Serialization;
using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Serialization;

public class PeerCodecSpec
{
    public static TheoryData<Type> Types => Generators.TypesOf<PeerMessage>();

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_message_comes_back_as_it_was_with_its_sender(Type type) =>
        Gen.Select(Generators.Header, Generators.Messages[type]).Sample((from, message) =>
        {
            var bytes = PeerCodec.Encode(new PeerEnvelope(from, message));
            var read = PeerCodec.Decode(PeerCodec.Manifest(message), bytes);
            Assert.Equal(from, read.Header);
            Assert.Equal(Generators.Show(message), Generators.Show(read.Message));
        }, iter: 300);

    [Theory]
    [MemberData(nameof(Types))]
    public void Damaged_bytes_are_refused_or_read_as_the_same_kind_of_message(Type type) =>
        Gen.Select(Generators.Header, Generators.Messages[type], Gen.Int[0, int.MaxValue], Gen.Byte, Gen.Bool).Sample(
            (from, message, where, value, cut) =>
            {
                var bytes = PeerCodec.Encode(new PeerEnvelope(from, message));
                if (cut) bytes = bytes[..(where % bytes.Length)];
                else bytes[where % bytes.Length] = value;
                var manifest = PeerCodec.Manifest(message);
                var error = Record.Exception(
                    () =>
                    {
                        var read = PeerCodec.Decode(manifest, bytes).Message;
                        if (read is not Unreadable) Assert.Equal(manifest, PeerCodec.Manifest(read));
                    });
                Assert.True(error is null or FormatException, $"{error}");
            }, iter: 300);

    [Fact]
    public void An_unknown_kind_is_refused()
    {
        var bytes = PeerCodec.Encode(
            new PeerEnvelope(new Header(default, default, default, 0), new Commit(new Epoch(1), new Uid(1))));
        Assert.Throws<FormatException>(() => PeerCodec.Decode("?", bytes));
    }

    [Fact]
    public void Of_another_version_only_the_header_is_read() =>
        Gen.Select(Generators.Header, Gen.OneOf(Gen.Int[3, int.MaxValue], Gen.Int[int.MinValue, -1], Gen.Const(1)))
            .Sample((header, version) =>
            {
                header = header with { Version = version };
                var bytes = PeerCodec.Encode(new PeerEnvelope(header, new Commit(new Epoch(1), new Uid(1))));
                var read = PeerCodec.Decode("of the future", [.. bytes, 0xff, 0xff]);
                Assert.Equal(header, read.Header);
                Assert.IsType<Unreadable>(read.Message);
            }, iter: 100);

    [Fact]
    public void A_control_message_of_another_type_is_not_written() =>
        Assert.Throws<SerializationException>(() => ControlCodec.Encode(new Foreign(new Epoch(1))));

    [Fact]
    public void A_control_message_of_another_type_is_not_read()
    {
        foreach (var foreign in new object[] { new Foreign(new Epoch(1)), new Uri("http://x"), "text", 1, new byte[9],
            typeof(string), new View[] { View.None }, View.None })
        {
            using var stream = new MemoryStream();
            new Hyperion.Serializer().Serialize(foreign, stream);
            Assert.Throws<FormatException>(() => ControlCodec.Decode(stream.ToArray()));
        }
    }

    [Fact]
    public void An_append_leaves_no_garbage_but_its_bytes()
    {
        var request = WriteRequestCodec.Create(1, 2, 3, [new(OperationKind.Put, "0123456789abcdef", new byte[100])]);
        var batch = new Batch(new Epoch(7), new Uid(1), [.. Enumerable.Repeat(request, 512)]);
        var append = new PeerEnvelope(
            new Header(new MemberId(new NodeId("node1"), Guid.NewGuid()), new NodeId("node2"), Guid.NewGuid(), 7),
            new Append(new Epoch(7), batch, new Uid(0)));
        PeerCodec.Encode(append); // this thread's buffer grows once

        var before = GC.GetAllocatedBytesForCurrentThread();
        var bytes = PeerCodec.Encode(append);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(allocated, bytes.Length, bytes.Length + 200);
    }

    private sealed record Foreign(Epoch Epoch) : PeerMessage(Epoch);
}
