using Akka.Actor;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

public class StrandSpec
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task One_after_the_other_and_in_the_order_of_each_thread()
    {
        const int Threads = 4, Each = 20_000;
        var strand = new Strand();
        var last = new int[Threads];
        var (inside, overlaps, disorder, left) = (0, 0, 0, Threads * Each);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var threads = Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(() =>
        {
            for (var i = 1; i <= Each; i++)
            {
                var number = i;
                var step = new Step(() =>
                {
                    if (Interlocked.Increment(ref inside) != 1) overlaps++;
                    if (last[thread] + 1 != number) disorder++;
                    last[thread] = number;
                    if (number % 100 == 0) Thread.Yield();
                    Interlocked.Decrement(ref inside);
                    if (--left == 0) done.SetResult();
                });
                if (number % 3 == 0) strand.ExecuteHere(step);
                else strand.Execute(step);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        await Task.WhenAll(threads).WaitAsync(Limit);
        await done.Task.WaitAsync(Limit);
        Assert.Equal((0, 0), (overlaps, disorder));
    }

    [Fact]
    public void An_idle_one_starts_here_but_hands_over_after_its_turn()
    {
        var strand = new Strand();
        var here = Environment.CurrentManagedThreadId;
        var (ran, ranHere) = (0, 0);
        using var end = new ManualResetEventSlim();
        Step? step = null;
        step = new Step(() =>
        {
            if (Environment.CurrentManagedThreadId == here) ranHere++;
            if (++ran == 10 * Strand.Turn) end.Set();
            else strand.Execute(step!);
        });
        strand.ExecuteHere(step);
        Assert.Equal(Strand.Turn, ranHere);
        Assert.True(end.Wait(Limit));
    }

    [Fact]
    public async Task Awaiting_it_goes_on_there()
    {
        var strand = new Strand();
        var entry = new Strand.Entry(strand);
        using var held = new ManualResetEventSlim();
        using var free = new ManualResetEventSlim();
        strand.Execute(new Step(() =>
        {
            held.Set();
            free.Wait(Limit);
        }));
        Assert.True(held.Wait(Limit));
        var before = false;
        strand.Execute(new Step(() => before = true));
        var entered = EnterAsync();
        Assert.False(entered.IsCompleted);
        free.Set();
        Assert.True(await entered.WaitAsync(Limit));

        async Task<bool> EnterAsync()
        {
            await entry;
            return before;
        }
    }

    [Fact]
    public async Task Each_actor_system_has_its_own()
    {
        var (first, second) = (ActorSystem.Create("first"), ActorSystem.Create("second"));
        Assert.Same(Strands.Of(first), Strands.Of(first));
        Assert.NotSame(Strands.Of(first), Strands.Of(second));
        await Task.WhenAll(first.Terminate(), second.Terminate());
    }

    private sealed class Step(Action action) : IThreadPoolWorkItem
    {
        public void Execute() => action();
    }
}
