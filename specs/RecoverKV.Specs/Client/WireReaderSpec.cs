using CsCheck;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class WireReaderSpec
{
    [Fact]
    public void Random_bytes_throw_nothing_but_format_exceptions()
    {
        Gen.Select(Gen.Byte.Array[0, 40], Gen.Int[0, 5].Array[1, 8]).Sample((bytes, actions) =>
        {
            try
            {
                var reader = new WireReader(bytes);
                for (var i = 0; reader.Next() != 0; i++)
                {
                    switch (actions[i % actions.Length])
                    {
                        case 0: reader.Int(); break;
                        case 1: reader.Int32(); break;
                        case 2: reader.Bytes(); break;
                        case 3: reader.String(); break;
                        case 4: reader.Fixed32(); break;
                        default: reader.Skip(); break;
                    }
                }
            }
            catch (FormatException e)
            {
                Assert.StartsWith("The message is malformed", e.Message, StringComparison.Ordinal);
            }
        }, iter: 100_000);
    }

    [Fact]
    public void Bytes_are_slices_of_the_buffer_and_not_copies()
    {
        byte[] buffer = [0x0a, 3, 1, 2, 3];
        var reader = new WireReader(buffer);
        reader.Next();
        var slice = reader.Bytes();
        buffer[2] = 9;

        Assert.Equal<byte>([9, 2, 3], slice.ToArray());
    }

    [Fact]
    public void A_request_keeps_its_wire_form()
    {
        var request = WriteRequestCodec.Create(
            5, 6, 4, [new WriteOperation(OperationKind.Put, "a key", new byte[] { 1 }, 0)]);
        var decoded = WriteRequestCodec.Decode(request.Encoded);

        Assert.Equal(request.Encoded.ToArray(), decoded.Encoded.ToArray());
        Assert.Equal(Canonical.Text(request), Canonical.Text(decoded));
    }
}
