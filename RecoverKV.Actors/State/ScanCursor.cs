using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.State;

/// <summary>Where a scan goes on: behind the last key that it gave, so that the cursor is good on every node.
/// Stateless.</summary>
internal static class ScanCursor
{
    // Cursors of builds that numbered keys by their place in memory have 12 bytes of numbers.
    private static ReadOnlySpan<byte> Tag => "key "u8;

    /// <summary>The cursor that goes on behind a key.</summary>
    public static byte[] Behind(Key key) => [.. Tag, .. key.Bytes.Span];

    /// <summary>What is left of a scan; null if its cursor is not one of these.</summary>
    public static KeyRange? Rest(ScanRequest request)
    {
        if (request.Cursor.IsEmpty) return request.Range;
        return request.Cursor.Span.StartsWith(Tag) && request.Cursor.Length > Tag.Length
            ? request.Range.After(new Key(request.Cursor[Tag.Length..]), request.Reverse)
            : null;
    }
}
