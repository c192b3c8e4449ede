using System.CommandLine;
using RecoverKV.Host.Records;

namespace RecoverKV.Host.Commands;

/// <summary><c>--format</c> of <c>load</c> and <c>dump</c>.</summary>
internal static class FormatOption
{
    public static Option<string?> Create()
    {
        var option = new Option<string?>("--format", "-f")
        {
            Description = "tsv (bytes taken literally, the first tab splits), csv (RFC 4180, no heading) or ndjson "
                + "(key, value, keyBase64, valueBase64). Default: as the file's extension says, else tsv.",
        };
        option.AcceptOnlyFromAmong([.. RecordFormat.All.Select(f => f.Name)]);
        return option;
    }
}
