using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.State;

/// <summary>What a request must keep to before it enters the log, or is answered: every later reader may rely on
/// it.</summary>
/// <param name="Request">The longest write, in bytes.</param>
/// <param name="Key">The longest key, in bytes.</param>
/// <param name="Value">The longest value, in bytes.</param>
internal sealed record RequestLimits(int Request, int Key, int Value)
{
    /// <summary>No limits but those of the types, for specs.</summary>
    public static readonly RequestLimits None = new(int.MaxValue, int.MaxValue, int.MaxValue);

    /// <summary>What is wrong with the write, in one line; null if nothing is.</summary>
    public string? Check(WriteRequest request)
    {
        if (request.Session < 0 || request.Number <= 0) return "the session or request number is out of range";
        if (request.LowWater < 0 || request.LowWater > request.Number)
            return "the low-water mark is above the request's own number, or negative";
        if (request.Session == 0) return request.Operations.Count == 0 ? null : "a write needs a session";
        if (request.Operations.Count is 0 or > ClientLimits.Operations)
            return $"a write has 1 to {ClientLimits.Operations} operations";
        if (request.Encoded.Length > Request) return $"a write has at most {Request} bytes";
        foreach (var operation in request.Operations)
        {
            if (operation.Kind is < OperationKind.Put or > OperationKind.Check)
                return "an operation is of unknown kind";
            if (Check(operation.Key) is { } bad) return bad;
            if (operation.Value.Length > Value)
                return $"a value has at most {Value} bytes, this one has {operation.Value.Length}";
        }

        return null;
    }

    /// <summary>What is wrong with the keys of a read, in one line; null if nothing is.</summary>
    public string? Check(Read read)
    {
        if (read.Keys.Count is 0 or > ClientLimits.KeysOfRead) return $"a read has 1 to {ClientLimits.KeysOfRead} keys";
        foreach (var key in read.Keys)
            if (Check(key) is { } bad) return bad;
        return null;
    }

    /// <summary>What is wrong with a scan, in one line; null if nothing is.</summary>
    public string? Check(ScanRequest request)
    {
        var range = request.Range;
        // The next one behind the longest key has a byte more.
        if (range.From.Length - 1 > Key || range.To?.Length - 1 > Key)
            return $"a bound of a range has at most {Key} bytes";
        return range.To is { } to && to.Span.SequenceCompareTo(range.From.Span) < 0
            ? "a range ends before its begin"
            : null;
    }

    private string? Check(Key key)
    {
        if (key.Length == 0) return "a key must not be empty";
        return key.Length <= Key ? null : $"a key has at most {Key} bytes, this one has {key.Length}";
    }
}
