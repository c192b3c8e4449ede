using System.Buffers.Binary;

namespace RecoverKV.Chaos.Cluster;

/// <summary>Damages the journal of a node that does not run.</summary>
internal static class JournalDamage
{
    private const int HeaderBytes = 32, FrameHeaderBytes = 24;

    /// <summary>Cuts the last commits off the write-ahead log, as a disk does that lied about having synced.</summary>
    /// <returns>How many; 0 if there are too few.</returns>
    public static int TruncateTail(string folder, Random random)
    {
        var path = Path.Combine(folder, "journal.db-wal");
        if (!File.Exists(path)) return 0;
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var ends = CommitEnds(file);
        // The first commit stays: a log that is gone altogether would be the damage of another kind.
        var count = Math.Min(random.Next(1, 6), ends.Count - 1);
        if (count < 1) return 0;
        file.SetLength(ends[^(count + 1)]);
        return count;
    }

    /// <summary>Deletes the write-ahead log, as a copy of `*.db` alone does.</summary>
    /// <returns>Whether there was one with something in it.</returns>
    public static bool DeleteLog(string folder)
    {
        var log = new FileInfo(Path.Combine(folder, "journal.db-wal"));
        if (log is not { Exists: true, Length: > 0 }) return false;
        log.Delete();
        File.Delete(Path.Combine(folder, "journal.db-shm"));
        return true;
    }

    /// <summary>Overwrites a random part of the file or of its write-ahead log.</summary>
    public static string Noise(string folder, Random random)
    {
        var files = new[] { "journal.db", "journal.db-wal" }.Select(f => Path.Combine(folder, f))
            .Where(f => File.Exists(f) && new FileInfo(f).Length > 0).ToList();
        var path = files[random.Next(files.Count)];
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var noise = new byte[Math.Min(random.Next(4096, 65536), file.Length)];
        random.NextBytes(noise);
        file.Position = random.NextInt64(file.Length - noise.Length + 1);
        var at = file.Position;
        file.Write(noise);
        return $"{noise.Length} bytes at {at} of {Path.GetFileName(path)}";
    }

    /// <summary>Where each commit of the log ends. Frames that an earlier use of the file left behind have other
    /// salts.</summary>
    private static List<long> CommitEnds(FileStream file)
    {
        var ends = new List<long>();
        Span<byte> header = stackalloc byte[HeaderBytes], frame = stackalloc byte[FrameHeaderBytes];
        if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes) return ends;
        var pageSize = BinaryPrimitives.ReadInt32BigEndian(header[8..]);
        for (long at = HeaderBytes; at + FrameHeaderBytes + pageSize <= file.Length; at += FrameHeaderBytes + pageSize)
        {
            file.Position = at;
            file.ReadExactly(frame);
            if (!frame.Slice(8, 8).SequenceEqual(header.Slice(16, 8))) break;
            if (BinaryPrimitives.ReadInt32BigEndian(frame[4..]) != 0) ends.Add(at + FrameHeaderBytes + pageSize);
        }

        return ends;
    }
}
