using System.Collections;
using System.Globalization;
using System.Reflection;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Protocol;

/// <summary>
/// Effects, facts and messages as text with all that they hold: what specs compare, because records that hold lists
/// compare those by reference, and because two lines of text show a difference best.
/// </summary>
internal static class Text
{
    public static string Of(object? value) => value switch
    {
        null => "null",
        string s => $"'{s}'",
        bool b => b ? "true" : "false",
        Enum e => e.ToString(),
        NodeId or UidRange or Key => value.ToString()!,
        Uid or Epoch => value.ToString()!,
        TimeSpan t => $"{t.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)}ms",
        MemberId m => $"{m.Node}#{m.Incarnation.ToString()[^1]}",
        ReadOnlyMemory<byte> bytes => $"'{System.Text.Encoding.UTF8.GetString(bytes.Span)}'",
        Version version => $"{Of(version.Value)}@{version.Uid}",
        Caller caller => caller.Name,
        WriteRequest request => $"{request.Session}/{request.Number}{Of(request.Operations)}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => "[" + string.Join(", ", items.Cast<object?>().Select(Of)) + "]",
        _ => Properties(value),
    };

    private static string Properties(object value)
    {
        var properties = value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.Name is not ("Last" or "Majority") && p.GetIndexParameters().Length == 0)
            .OrderBy(p => p.Name, StringComparer.Ordinal)
            .Select(p => $"{p.Name}={Of(p.GetValue(value))}");
        return $"{value.GetType().Name}({string.Join(", ", properties)})";
    }
}
