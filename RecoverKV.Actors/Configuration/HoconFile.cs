using System.Text;

namespace RecoverKV.Actors.Configuration;

/// <summary>Reads a file of settings: text in UTF-8, and not much of it.</summary>
internal static class HoconFile
{
    private const int MostBytes = 256 * 1024;
    private static readonly UTF8Encoding Strict = new(
        encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text.</summary>
    /// <exception cref="InvalidSettingsException">It cannot be read, or is no such text.</exception>
    public static string Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var buffer = new byte[MostBytes + 1];
            // Not by its length: a pipe and a device have none.
            var read = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (read > MostBytes)
                throw new InvalidSettingsException(
                    $"{path}: The configuration is longer than {SettingsReader.ShowSize(MostBytes)}.");
            return Strict.GetString(buffer.AsSpan(0, read)).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidSettingsException($"{path}: The configuration is no text in UTF-8.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidSettingsException($"The configuration cannot be read: {e.Message}", e);
        }
    }
}
