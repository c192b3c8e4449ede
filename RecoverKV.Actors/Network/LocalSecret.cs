using System.Security.Cryptography;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Actors.Network;

/// <summary>The secret of clusters whose nodes are all on loopback and have none of their own: in a file that only the
/// user can read whose nodes they are. Other users of the machine reach their ports, and are no nodes.</summary>
internal static class LocalSecret
{
    /// <summary>The file, below the user's folder for data of programs.</summary>
    private static readonly string[] Name = ["recoverkv", "local-secret"];

    /// <summary>What is in the file; it is made if it is not there.</summary>
    /// <exception cref="NodeFailedException">It cannot be.</exception>
    public static string ReadOrMake()
    {
        var home = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);
        if (home.Length == 0) home = Path.Combine(Path.GetTempPath(), $"recoverkv-{Environment.UserName}");
        var file = Path.Combine([home, .. Name]);
        try
        {
            if (!File.Exists(file)) Make(file);
            var secret = File.ReadAllText(file);
            return secret.Length >= 16 ? secret : throw new IOException("it is too short for a secret: delete it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeFailedException(
                $"The secret of this user's local nodes cannot be had from {file}: {e.Message}. "
                + "Set recoverkv.secret instead.", e);
        }
    }

    private static void Make(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(
            folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // Nodes that start together see a whole one, and the same.
        var draft = $"{file}.{Guid.NewGuid():N}";
        using (var writer = PrivateFile.Open(draft, FileMode.CreateNew))
            writer.Write(RandomNumberGenerator.GetHexString(32));
        try
        {
            File.Move(draft, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(draft);
        }
    }
}
