using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace RecoverKV.Host.Records;

/// <summary>
/// One JSON object a line: <c>{"key":"...","value":"..."}</c>; what is no UTF-8 stands in base64 under
/// <c>keyBase64</c> or <c>valueBase64</c>. Other properties are ignored. Holds every key and value.
/// </summary>
internal sealed class NdjsonFormat : RecordFormat
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public override string Name => "ndjson";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Extensions => [".ndjson", ".jsonl", ".json"];

    /// <inheritdoc/>
    public override bool AllowsByteOrderMark => true;

    /// <inheritdoc/>
    public override string? Parse(ReadOnlySpan<byte> frame, out Record record)
    {
        record = default;
        var content = Content(frame);
        if (content.Trim(" \t\r"u8).IsEmpty) return "the line is empty";
        try
        {
            return ParseObject(content, out record);
        }
        catch (JsonException e)
        {
            // Its text goes on with positions within the line.
            return "no JSON: " + e.Message.Split(" LineNumber:")[0];
        }
        catch (InvalidOperationException)
        {
            return "a string that is no Unicode text";
        }
        catch (FormatException)
        {
            return "a string that is no base64";
        }
    }

    /// <inheritdoc/>
    public override string? Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, IBufferWriter<byte> output)
    {
        using (var writer = new Utf8JsonWriter(output, Writing))
        {
            writer.WriteStartObject();
            WriteProperty(writer, "key", "keyBase64", key);
            WriteProperty(writer, "value", "valueBase64", value);
            writer.WriteEndObject();
        }

        output.Write("\n"u8);
        return null;
    }

    private static string? ParseObject(ReadOnlySpan<byte> content, out Record record)
    {
        record = default;
        byte[]? key = null, value = null;
        var reader = new Utf8JsonReader(content);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) return "no JSON object";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("key"u8))
            {
                if (Take(ref reader, "key", false, ref key) is { } error) return error;
            }
            else if (reader.ValueTextEquals("keyBase64"u8))
            {
                if (Take(ref reader, "key", true, ref key) is { } error) return error;
            }
            else if (reader.ValueTextEquals("value"u8))
            {
                if (Take(ref reader, "value", false, ref value) is { } error) return error;
            }
            else if (reader.ValueTextEquals("valueBase64"u8))
            {
                if (Take(ref reader, "value", true, ref value) is { } error) return error;
            }
            else
            {
                reader.Skip();
            }
        }

        // Anything after the object is an error that the reader finds.
        while (reader.Read()) { }
        if (key is null) return "no \"key\"";
        return value is null ? "no \"value\"" : Make(key, value, out record);
    }

    private static string? Take(ref Utf8JsonReader reader, string name, bool base64, ref byte[]? field)
    {
        if (field is not null) return $"\"{name}\" is given twice";
        reader.Read();
        if (reader.TokenType != JsonTokenType.String) return $"\"{name}\" is no string";
        if (base64)
        {
            field = reader.GetBytesFromBase64();
            return null;
        }

        var buffer = new byte[reader.ValueSpan.Length];
        var length = reader.CopyString(buffer);
        field = buffer[..length];
        return null;
    }

    private static void WriteProperty(Utf8JsonWriter writer, string name, string base64Name, ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes)) writer.WriteString(name, bytes);
        else writer.WriteBase64String(base64Name, bytes);
    }
}
