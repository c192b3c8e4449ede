using System.Runtime.InteropServices;
using System.Text;

namespace RecoverKV.Actors.Output;

/// <summary>
/// Standard output or error as bytes. Other than .NET's own stream of it, it says when the reader of a pipe is gone,
/// opens no file for its first write, and knows when the program was started without it: its number then belongs to
/// some file of the runtime, and nothing may be written there. Thread-safe as far as one write is one call.
/// </summary>
internal sealed class StandardStream : Stream
{
    private const int Interrupted = 4;
    private readonly int _descriptor;
    private readonly string _name;
    private readonly bool _mayFail;
    private readonly bool _wasOpen;
    private readonly Stream? _other;

    private StandardStream(int descriptor, string name, bool mayFail)
    {
        (_descriptor, _name, _mayFail) = (descriptor, name, mayFail);
        _wasOpen = WasOpen(descriptor);
        if (!OperatingSystem.IsLinux())
            _other = descriptor == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError();
    }

    /// <summary>Standard output; a write that fails throws an <see cref="IOException"/> that says what.</summary>
    public static StandardStream Output { get; } = new(1, "the standard output", mayFail: false);

    /// <summary>Standard error; a write that fails is passed over, for there is nowhere left to tell it.</summary>
    public static StandardStream Error { get; } = new(2, "the standard error", mayFail: true);

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Whether the program was started with this stream (0, 1 or 2) open. What a program inherits is never
    /// marked to be closed when it starts another one; what the runtime opens for itself always is.</summary>
    public static bool WasOpen(int descriptor) => !OperatingSystem.IsLinux() || Native.FileControl(descriptor, 1) == 0;

    /// <summary>Writes a line to standard error by the least code there is, for when little works any more.</summary>
    public static void WriteError(string line) => Error.Write(Encoding.UTF8.GetBytes(line + "\n"));

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_other is not null)
        {
            _other.Write(buffer);
            return;
        }

        if (!_wasOpen)
        {
            if (!_mayFail) throw new IOException($"cannot write {_name}: it is closed");
            return;
        }

        while (!buffer.IsEmpty)
        {
            var written = Native.Write(_descriptor, ref MemoryMarshal.GetReference(buffer), buffer.Length);
            if (written >= 0) buffer = buffer[(int)written..];
            else if (!TryAgain(Marshal.GetLastPInvokeError())) return;
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is held back.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    private bool TryAgain(int error)
    {
        const int wouldBlock = 11;
        if (error == Interrupted) return true;
        if (error == wouldBlock)
        {
            // Somebody who shares the output made it non-blocking.
            var wanted = new Native.Poll { Descriptor = _descriptor, Events = 4 };
            _ = Native.Wait(ref wanted, 1, -1);
            return true;
        }

        return _mayFail ? false
            : throw new IOException($"cannot write {_name}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    private static class Native
    {
        [StructLayout(LayoutKind.Sequential)]
        internal struct Poll
        {
            public int Descriptor;
            public short Events;
            public short Happened;
        }

        [DllImport("libc", EntryPoint = "write", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint Write(int descriptor, ref byte first, nint count);

        [DllImport("libc", EntryPoint = "poll", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Wait(ref Poll wanted, nuint count, int milliseconds);

        [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int FileControl(int descriptor, int command);
    }
}
