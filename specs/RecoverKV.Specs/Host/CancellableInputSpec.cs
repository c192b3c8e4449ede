using System.IO.Pipes;
using RecoverKV.Host;
using RecoverKV.Host.Records;

namespace RecoverKV.Specs.Host;

public sealed class CancellableInputSpec
{
    [Fact]
    public async Task A_read_of_a_pipe_that_gives_nothing_ends_when_it_is_cancelled()
    {
        await using var silent = new AnonymousPipeServerStream(PipeDirection.In);
        await using var writer = new AnonymousPipeClientStream(PipeDirection.Out, silent.ClientSafePipeHandle);
        await using var input = new CancellableInput(new Blocking(silent));
        using var interrupt = new CancellationTokenSource();
        var records = new RecordReader(input, RecordFormat.Choose("tsv", null)).ReadAsync(interrupt.Token);
        await using var first = records.GetAsyncEnumerator(CancellationToken.None);
        var read = first.MoveNextAsync().AsTask();
        await interrupt.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(TimeSpan.FromSeconds(30)));
        // So that the thread that still reads ends.
        writer.WriteByte(1);
    }

    [Fact]
    public async Task An_input_that_is_not_there_is_told()
    {
        await using var input = new CancellableInput(null);
        var failure = Assert.Throws<IOException>(() => input.ReadByte());
        Assert.Equal("cannot read the standard input: it is closed", failure.Message);
    }

    /// <summary>Reads as the standard input of .NET does: on a thread that nothing can call back.</summary>
    private sealed class Blocking(Stream inner) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Task.Run(() => inner.Read(buffer.Span), CancellationToken.None));
    }
}
