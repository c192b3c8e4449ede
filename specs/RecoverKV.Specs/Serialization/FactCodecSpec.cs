using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Serialization;

public class FactCodecSpec
{
    public static TheoryData<Type> Types => Generators.TypesOf<Fact>();

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_fact_comes_back_as_it_was(Type type) => Generators.Facts[type].Sample(
        fact => Assert.Equal(Generators.Show(fact), Generators.Show(RoundTrip(fact))), iter: 300);

    [Theory]
    [MemberData(nameof(Types))]
    public void A_change_of_any_byte_is_noticed(Type type) =>
        Gen.Select(Generators.Facts[type], Gen.Int[0, int.MaxValue], Gen.Byte[1, 255]).Sample(
            (fact, where, change) =>
            {
                var bytes = FactCodec.Encode(fact);
                bytes[where % bytes.Length] ^= change;
                Assert.Throws<FormatException>(() => FactCodec.Decode(FactCodec.Manifest(fact), bytes));
            }, iter: 300);

    [Theory]
    [MemberData(nameof(Types))]
    public void A_fact_that_is_cut_off_is_noticed(Type type) =>
        Gen.Select(Generators.Facts[type], Gen.Int[0, int.MaxValue]).Sample((fact, length) =>
        {
            var bytes = FactCodec.Encode(fact);
            Assert.Throws<FormatException>(
                () => FactCodec.Decode(FactCodec.Manifest(fact), bytes[..(length % bytes.Length)]));
        }, iter: 300);

    [Fact]
    public void An_unknown_kind_is_refused()
    {
        var bytes = FactCodec.Encode(new Promised(new Epoch(1), new NodeId("a")));
        var error = Assert.ThrowsAny<FormatException>(() => FactCodec.Decode("X", bytes));
        Assert.Contains("'X'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Requests_are_slices_of_the_event_and_keep_their_bytes()
    {
        var request = WriteRequestCodec.Create(7, 8, 9, [new(OperationKind.Put, "key", "value"u8.ToArray())]);
        var bytes = FactCodec.Encode(new EntriesAppended(new Batch(new Epoch(1), new Uid(1), [request]), Uid.Zero));

        var read = Assert.Single(Assert.IsType<EntriesAppended>(FactCodec.Decode("E", bytes)).Batch.Requests);

        Assert.True(read.Encoded.Span.SequenceEqual(request.Encoded.Span));
        Assert.True(bytes.AsSpan().Overlaps(read.Encoded.Span));
        Assert.True(bytes.AsSpan().Overlaps(read.Operations[0].Value.Span));
    }

    private static Fact RoundTrip(Fact fact) => FactCodec.Decode(FactCodec.Manifest(fact), FactCodec.Encode(fact));
}
