using System.Collections;
using System.Globalization;
using System.Reflection;
using Google.Protobuf;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Client;

/// <summary>
/// The content of a message as text, by the names of its properties: the same for a record and for the message that
/// protoc made of its schema. So two fields of one type that were exchanged are seen.
/// </summary>
internal static class Canonical
{
    internal static string Text(object? value, Type? declared = null) => value switch
    {
        // On the wire an absent version is an empty one, and an absent string an empty one.
        null when declared == typeof(Version) => "{Uid=0,Value=}",
        null when declared == typeof(V1.KeyRange) => "{From=,To=}",
        null => "",
        string s => s,
        Key k => Convert.ToHexString(k.Bytes.Span),
        ReadOnlyMemory<byte> m => Convert.ToHexString(m.Span),
        Guid g => g == Guid.Empty ? "" : Convert.ToHexString(g.ToByteArray(bigEndian: true)),
        ByteString b => Convert.ToHexString(b.Span),
        Enum e => Convert.ToInt64(e, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
        IEnumerable items => Items(items),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        bool b => b ? "1" : "0",
        _ => Properties(value),
    };

    private static string Items(IEnumerable items)
    {
        var element = items.GetType().GetGenericArguments().FirstOrDefault() ?? items.GetType().GetElementType();
        return "[" + string.Join(",", items.Cast<object?>().Select(i => Text(i, element))) + "]";
    }

    private static string Properties(object value)
    {
        var properties = value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetIndexParameters().Length == 0)
            .Where(p => p.Name is not ("Encoded" or "Descriptor" or "Parser" or "HasExpectedUid" or "HasTo"))
            .OrderBy(p => p.Name, StringComparer.Ordinal)
            .Select(p => $"{p.Name}={Text(Get(value, p), p.PropertyType)}");
        return "{" + string.Join(",", properties) + "}";
    }

    private static object? Get(object value, PropertyInfo property) =>
        value is V1.WriteOperation { HasExpectedUid: false } && property.Name == "ExpectedUid"
            ? null
            : property.GetValue(value);
}
