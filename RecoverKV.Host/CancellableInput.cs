namespace RecoverKV.Host;

/// <summary>An input whose asynchronous reads end when they are cancelled, even where the system goes on to wait for
/// bytes: standard input, or a pipe with a name. Such a read must be the last one.</summary>
/// <param name="given">The input; null: there is none, and a read fails.</param>
internal sealed class CancellableInput(Stream? given) : Stream
{
    private Stream Inner => given ?? throw new IOException("cannot read the standard input: it is closed");

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => given?.CanSeek ?? false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => Inner.Length;

    /// <inheritdoc/>
    public override long Position
    {
        get => Inner.Position;
        set => Inner.Position = value;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Inner.Read(buffer, offset, count);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = Inner.ReadAsync(buffer, CancellationToken.None);
        return read.IsCompleted || !cancellationToken.CanBeCanceled
            ? read
            : new ValueTask<int>(read.AsTask().WaitAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Inner.Seek(offset, origin);

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is written.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) given?.Dispose();
        base.Dispose(disposing);
    }
}
