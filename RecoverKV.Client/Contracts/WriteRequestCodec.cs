namespace RecoverKV.Client.Contracts;

/// <summary>The wire form of <see cref="WriteRequest"/> (message <c>WriteRequest</c> of recoverkv.proto): made once
/// by the client, then carried unchanged through appends and journals. Stateless.</summary>
public static class WriteRequestCodec
{
    /// <summary>Makes a request together with its wire form.</summary>
    public static WriteRequest Create(
        long session, long number, long lowWater, IReadOnlyList<WriteOperation> operations, bool returnPrevious = false)
    {
        var size = 32;
        foreach (var operation in operations) size += operation.Key.Length + operation.Value.Length + 32;
        var writer = new WireWriter(size);
        writer.Int(1, session);
        writer.Int(2, number);
        writer.Int(3, lowWater);
        foreach (var operation in operations)
        {
            var mark = writer.Begin(4);
            writer.Int(1, (long)operation.Kind);
            writer.Bytes(2, operation.Key.Bytes.Span);
            writer.Bytes(3, operation.Value.Span);
            if (operation.ExpectedUid is { } expected) writer.AlwaysInt(4, expected);
            writer.End(mark);
        }

        writer.Bool(5, returnPrevious);
        return new WriteRequest
        {
            Session = session,
            Number = number,
            LowWater = lowWater,
            Operations = operations,
            ReturnPrevious = returnPrevious,
            Encoded = writer.ToArray(),
        };
    }

    /// <summary>Reads a request. Keys and values are slices of <paramref name="encoded"/>.</summary>
    /// <exception cref="FormatException">The bytes are no request.</exception>
    public static WriteRequest Decode(ReadOnlyMemory<byte> encoded)
    {
        long session = 0, number = 0, lowWater = 0;
        List<WriteOperation>? operations = null;
        var returnPrevious = false;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: session = reader.Int(); break;
                case 2: number = reader.Int(); break;
                case 3: lowWater = reader.Int(); break;
                case 4:
                    var operation = DecodeOperation(reader.Bytes());
                    // Room for exactly so many: a list that grows takes up to four times as much, of two bytes each.
                    operations ??= new(1 + Math.Min(OperationsIn(reader), ClientLimits.Operations));
                    ClientLimits.Add(operations, operation, ClientLimits.Operations);
                    break;
                case 5: returnPrevious = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return new WriteRequest
        {
            Session = session,
            Number = number,
            LowWater = lowWater,
            Operations = operations is null ? [] : operations,
            ReturnPrevious = returnPrevious,
            Encoded = encoded,
        };
    }

    /// <summary>How many are still to come.</summary>
    private static int OperationsIn(WireReader rest)
    {
        var count = 0;
        while (rest.Next() is var field and not 0)
        {
            if (field == 4) count++;
            rest.Skip();
        }

        return count;
    }

    private static WriteOperation DecodeOperation(ReadOnlyMemory<byte> encoded)
    {
        var kind = OperationKind.Put;
        ReadOnlyMemory<byte> key = default, value = default;
        long? expected = null;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: kind = reader.OperationKind(); break;
                case 2: key = reader.Bytes(); break;
                case 3: value = reader.Bytes(); break;
                case 4: expected = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new WriteOperation(kind, new Key(key), value, expected);
    }
}
