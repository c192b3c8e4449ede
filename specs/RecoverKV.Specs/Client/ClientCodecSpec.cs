using CsCheck;
using Google.Protobuf;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class ClientCodecSpec
{
    public static TheoryData<Type> Messages => new(typeof(IClientMessage).Assembly.GetTypes()
        .Where(t => typeof(IClientMessage).IsAssignableFrom(t) && !t.IsInterface));

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_message_round_trips(Type type)
    {
        ClientMessageGen.All[type].Sample(message =>
        {
            var back = ClientCodec.Decode([.. ClientCodec.Head(message), .. ClientCodec.Encode(message).Written]);

            Assert.IsType(type, back);
            Assert.Equal(Canonical.Text(message), Canonical.Text(back));
        }, iter: 200);
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_message_is_what_the_schema_says_in_both_directions(Type type)
    {
        // Fields that the schema does not know are dropped: kept, they would hide a wrong number.
        var parser = Parser(type).WithDiscardUnknownFields(true);
        ClientMessageGen.All[type].Sample(message =>
        {
            var generated = parser.ParseFrom(ClientCodec.Encode(message).ToArray());
            var back = ClientCodec.Decode(ClientCodec.ManifestOf(message), generated.ToByteArray());

            Assert.Equal(Canonical.Text(message), Canonical.Text(generated));
            Assert.Equal(Canonical.Text(message), Canonical.Text(back));
        }, iter: 200);
    }

    [Fact]
    public void Manifests_are_distinct()
    {
        var manifests = ClientMessageGen.All.Values.Select(gen => ClientCodec.ManifestOf(gen.Single()));

        Assert.Equal(ClientMessageGen.All.Count, manifests.Distinct().Count());
    }

    [Fact]
    public void An_unknown_manifest_gives_an_unknown_message() =>
        Assert.Equal(new UnknownMessage("ZZ"), ClientCodec.Decode("ZZ", new byte[] { 1, 2, 3 }));

    [Theory]
    [MemberData(nameof(Messages))]
    public void Random_bytes_are_a_message_or_a_format_exception(Type type)
    {
        var manifest = ClientCodec.ManifestOf(ClientMessageGen.All[type].Single());
        Gen.Byte.Array[0, 60].Sample(bytes => Decode(bytes, manifest), iter: 2000);
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Damaged_messages_are_a_message_or_a_format_exception(Type type)
    {
        Gen.Select(ClientMessageGen.All[type], Gen.Int[0, int.MaxValue], Gen.Byte, Gen.Bool)
            .Sample((message, at, to, cut) =>
            {
                var bytes = ClientCodec.Encode(message).ToArray();
                if (bytes.Length == 0) return;
                at %= bytes.Length;
                bytes[at] = to;
                Decode(cut ? bytes[..at] : bytes, ClientCodec.ManifestOf(message));
            }, iter: 500);
    }

    [Fact]
    public void Lists_beyond_their_limit_are_refused()
    {
        // Two bytes on the wire for each request: a frame of 4 MiB must not become two million objects.
        var bytes = Enumerable.Repeat(new byte[] { 0x0a, 0x00 }, ClientLimits.BatchItems + 1)
            .SelectMany(b => b).ToArray();

        Assert.Throws<FormatException>(() => ClientCodec.Decode("WB", bytes));
        Assert.IsType<WriteBatch>(ClientCodec.Decode("WB", bytes.AsMemory(2)));

        var operations = Enumerable.Repeat(new byte[] { 0x22, 0x00 }, ClientLimits.Operations)
            .SelectMany(b => b).ToArray();
        byte[] request = [0x0a, 0x80, 0x10, .. operations];
        var batch = Enumerable.Repeat(request, 65).SelectMany(b => b).ToArray();
        Assert.Throws<FormatException>(() => ClientCodec.Decode("WB", batch));
        Assert.IsType<WriteBatch>(ClientCodec.Decode("WB", batch.AsMemory(request.Length)));
        Assert.Throws<FormatException>(
            () => ClientCodec.Decode("WB", (byte[])[0x0a, 0x82, 0x10, .. operations, 0x22, 0x00]));
    }

    [Fact]
    public void Unknown_enum_values_and_bad_utf8_are_refused()
    {
        var operation = new V1.WriteOperation { Kind = (V1.OperationKind)3 };
        var badKind = new V1.WriteBatch { Requests = { new V1.WriteRequest { Operations = { operation } } } };
        var badText = new byte[] { 0x0a, 0x02, 0xc3, 0x28 };

        Assert.Throws<FormatException>(() => ClientCodec.Decode("WB", badKind.ToByteArray()));
        Assert.Throws<FormatException>(() => ClientCodec.Decode("N", badText));
    }

    private static MessageParser Parser(Type type)
    {
        var generated = typeof(V1.ClusterView).Assembly.GetType($"RecoverKV.V1.{type.Name}", throwOnError: true)!;
        return (MessageParser)generated.GetProperty("Parser")!.GetValue(null)!;
    }

    private void Decode(byte[] bytes, string manifest)
    {
        try
        {
            Assert.IsAssignableFrom<IClientMessage>(ClientCodec.Decode(manifest, bytes));
        }
        catch (FormatException)
        {
            // As it should.
        }
    }
}
