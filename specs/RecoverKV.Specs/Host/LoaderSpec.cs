using System.Runtime.CompilerServices;
using System.Text;
using RecoverKV.Client;
using RecoverKV.Host;
using RecoverKV.Host.Loading;
using RecoverKV.Host.Records;
using Record = RecoverKV.Host.Records.Record;

namespace RecoverKV.Specs.Host;

public sealed class LoaderSpec
{
    private readonly List<(long Line, string Error)> _bad = [];

    [Fact]
    public async Task Every_record_is_put_and_bad_lines_are_passed_over()
    {
        var stored = new List<string>();
        var loader = new Loader(
            record =>
            {
                if (record.Key.Length > 3) throw new InvalidRequestException("the key is too long");
                lock (stored) stored.Add(Text(record.Key));
                return Task.CompletedTask;
            },
            (line, error) => _bad.Add((line, error)));
        var result = await loader.RunAsync(Lines("a", "!broken", "oversized", "b"), CancellationToken.None);
        Assert.Equal(new LoadResult(2, 2, null, 0), result);
        Assert.Equal(["a", "b"], stored);
        Assert.Equal([(2, "broken"), (3, "the key is too long")], _bad);
    }

    [Fact]
    public async Task Records_of_one_key_are_put_one_after_the_other_and_others_meanwhile()
    {
        var first = new TaskCompletionSource();
        var other = new TaskCompletionSource();
        var order = new List<string>();
        var loader = NewLoader(record =>
        {
            lock (order) order.Add(Text(record.Key));
            if (Text(record.Key) == "b") other.SetResult();
            return Text(record.Key) == "a" && order.Count == 1 ? first.Task : Task.CompletedTask;
        });
        var load = loader.RunAsync(Lines("a", "b", "a", "c"), CancellationToken.None);
        await other.Task;
        lock (order) Assert.Equal(["a", "b"], order);
        first.SetResult();
        Assert.Equal(4, (await load).Loaded);
        Assert.Equal(["a", "b", "a", "c"], order);
    }

    [Fact]
    public async Task Many_puts_are_under_way_but_not_without_bound()
    {
        var gate = new TaskCompletionSource();
        int now = 0, most = 0;
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var loader = NewLoader(async _ =>
        {
            if (Interlocked.Increment(ref now) == 512) full.TrySetResult();
            most = Math.Max(most, Volatile.Read(ref now));
            await gate.Task;
            Interlocked.Decrement(ref now);
        });
        var load = loader.RunAsync(Lines([.. Enumerable.Range(0, 3000).Select(i => $"k{i}")]), CancellationToken.None);
        await full.Task;
        gate.SetResult();
        Assert.Equal(3000, (await load).Loaded);
        Assert.Equal(512, most);
    }

    [Fact]
    public async Task An_input_that_cannot_be_read_any_further_ends_the_load_with_what_was_stored()
    {
        var result = await NewLoader(_ => Task.CompletedTask).RunAsync(Torn("a", "b"), CancellationToken.None);
        Assert.Equal(2, result.Loaded);
        Assert.IsType<CommandFailedException>(result.Failure);

        static async IAsyncEnumerable<InputRecord> Torn(params string[] keys)
        {
            await foreach (var record in Lines(keys)) yield return record;
            throw new IOException("Input/output error");
        }
    }

    [Fact]
    public async Task A_put_that_fails_ends_the_load_and_names_its_line()
    {
        var loader = NewLoader(record =>
            Text(record.Key) == "b" ? Task.FromException(new NotDoneException("no majority")) : Task.CompletedTask);
        var result = await loader.RunAsync(Endless("a", "b"), CancellationToken.None);
        Assert.Equal(1, result.Loaded);
        Assert.Equal(2, result.FailedLine);
        Assert.IsType<NotDoneException>(result.Failure);
    }

    [Fact]
    public async Task An_unknown_outcome_outweighs_a_put_that_was_not_done()
    {
        var second = new TaskCompletionSource();
        var loader = NewLoader(async record =>
        {
            if (Text(record.Key) == "a")
            {
                await second.Task;
                throw new OutcomeUnknownException("no answer");
            }

            second.SetResult();
            throw new NotDoneException("busy");
        });
        var result = await loader.RunAsync(Lines("a", "b"), CancellationToken.None);
        Assert.IsType<OutcomeUnknownException>(result.Failure);
        Assert.Equal(1, result.FailedLine);
    }

    [Fact]
    public async Task An_interrupt_ends_the_load_after_what_is_under_way()
    {
        using var interrupt = new CancellationTokenSource();
        var loader = NewLoader(record =>
        {
            if (Text(record.Key) == "b") interrupt.Cancel();
            return Task.CompletedTask;
        });
        var result = await loader.RunAsync(Endless("a", "b"), interrupt.Token);
        Assert.Equal(2, result.Loaded);
        Assert.Equal("interrupted", result.Failure!.Message);
    }

    private Loader NewLoader(Func<Record, Task> put) => new(put, (line, error) => _bad.Add((line, error)));

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static InputRecord Line(int number, string key) => key[0] == '!'
        ? new InputRecord(number, default, key[1..])
        : new InputRecord(number, new Record(Encoding.UTF8.GetBytes(key), []), null);

    private static async IAsyncEnumerable<InputRecord> Lines(params string[] keys)
    {
        for (var i = 0; i < keys.Length; i++) yield return Line(i + 1, keys[i]);
        await Task.CompletedTask;
    }

    /// <summary>These, and then nothing, until somebody loses patience.</summary>
    private static async IAsyncEnumerable<InputRecord> Endless(
        string first, string second, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        yield return Line(1, first);
        yield return Line(2, second);
        await Task.Delay(Timeout.Infinite, cancellation);
    }
}
