namespace RecoverKV.Client.Contracts;

/// <summary>Values that have no form of their own on the wire, and their checks.</summary>
internal static class WireEnums
{
    /// <summary>The value of an enum field. Values that this version does not know are refused.</summary>
    internal static OperationKind OperationKind(ref this WireReader reader) =>
        (OperationKind)Within(reader.Int(), (int)Contracts.OperationKind.Check);

    internal static WriteStatus WriteStatus(ref this WireReader reader) =>
        (WriteStatus)Within(reader.Int(), (int)Contracts.WriteStatus.Full);

    internal static ReadStatus ReadStatus(ref this WireReader reader) =>
        (ReadStatus)Within(reader.Int(), (int)Contracts.ReadStatus.OtherStore);

    internal static ReadConsistency ReadConsistency(ref this WireReader reader) =>
        (ReadConsistency)Within(reader.Int(), (int)Contracts.ReadConsistency.Available);

    internal static NodeMode NodeMode(ref this WireReader reader) =>
        (NodeMode)Within(reader.Int(), (int)Contracts.NodeMode.Alive);

    /// <summary>A string field whose empty form stands for null.</summary>
    internal static string? OptionalString(ref this WireReader reader) =>
        reader.String() is { Length: > 0 } s ? s : null;

    private static int Within(long value, int last) => value >= 0 && value <= last
        ? (int)value
        : throw new FormatException("The message is malformed: bad enum value.");
}
