using System.Collections.Concurrent;
using RecoverKV.Host.Checks;

namespace RecoverKV.Specs.Host;

/// <summary>The checks, at stores in memory that do right and wrong.</summary>
public sealed class CheckSpec
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task An_available_store_passes_all_ten()
    {
        var store = new MemoryStore { ShowsOldInPartition = true };
        var results = await RunAsync(store);
        Assert.All(results, r => Assert.Equal(Verdict.Passed, r.Verdict));
        Assert.Equal("10 of 10 passed", CheckTable.Summary(results));
        Assert.Empty(store.Cut);
    }

    [Fact]
    public async Task A_consistent_store_shows_no_old_value_and_that_is_right()
    {
        var results = await RunAsync(new MemoryStore());
        Assert.Equal([7], Indexes(results, Verdict.Consistent));
        Assert.Equal(9, Indexes(results, Verdict.Passed).Count);
        Assert.StartsWith("9 of 10 passed; ", CheckTable.Summary(results), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_store_does_not_allow_is_not_run()
    {
        var results = await RunAsync(new MemoryStore { Allows = false });
        Assert.Equal([3, 4, 5, 7, 8, 9], Indexes(results, Verdict.NotRun));
        Assert.All(results.Where(r => r.Verdict == Verdict.NotRun), r => Assert.Equal("chaos is off", r.Seen));
        Assert.Equal("4 of 10 passed, 6 not run", CheckTable.Summary(results));
    }

    [Fact]
    public async Task A_store_that_forgets_fails_and_is_restored()
    {
        var store = new MemoryStore { ForgetsWhenStopped = true };
        var results = await RunAsync(store);
        Assert.Equal([3, 4, 5], Indexes(results, Verdict.Failed).Take(3));
        Assert.Contains("is absent, not", results[3].Seen, StringComparison.Ordinal);
        Assert.Empty(store.Cut);
    }

    [Fact]
    public async Task A_client_that_may_stop_anything_is_a_failure()
    {
        var results = await RunAsync(new MemoryStore { ShowsOldInPartition = true, RefusesUnnamed = false });
        Assert.Equal([9], Indexes(results, Verdict.Failed));
    }

    [Fact]
    public async Task A_server_that_takes_its_time_to_start_is_waited_for()
    {
        var results = await RunAsync(new MemoryStore { ShowsOldInPartition = true, StartsAfter = 8 });
        Assert.All(results, r => Assert.Equal((Verdict.Passed, r.Seen), (r.Verdict, r.Seen)));
    }

    private static Task<IReadOnlyList<CheckResult>> RunAsync(MemoryStore store) =>
        new CheckRun(store, Patience, CancellationToken.None).RunAsync(_ => { });

    private static List<int> Indexes(IReadOnlyList<CheckResult> results, Verdict verdict) =>
        [.. results.Index().Where(r => r.Item.Verdict == verdict).Select(r => r.Index)];

    private sealed class MemoryStore : ICheckedStore
    {
        private readonly ConcurrentDictionary<string, string> _now = new();
        private readonly ConcurrentDictionary<string, string> _old = new();
        private int _starting;

        public bool ShowsOldInPartition { get; init; }

        public bool Allows { get; init; } = true;

        public bool ForgetsWhenStopped { get; init; }

        public bool RefusesUnnamed { get; init; } = true;

        /// <summary>How many questions and orders a stopped server declines before it has started.</summary>
        public int StartsAfter { get; init; }

        public ConcurrentDictionary<string, bool> Cut { get; } = new();

        public IReadOnlyList<string> Servers { get; } = ["a", "b", "c"];

        public Task<string?> PutAsync(string key, string value, CancellationToken cancellation)
        {
            var old = _now.GetValueOrDefault(key);
            if (old is not null) _old[key] = old;
            _now[key] = value;
            return Task.FromResult(old);
        }

        public Task<string?> GetAsync(string key, CancellationToken cancellation) => Task.FromResult(
            ShowsOldInPartition && Cut.Count == 3 && _old.TryGetValue(key, out var old)
                ? old
                : _now.GetValueOrDefault(key));

        public Task<bool> AreAliveAsync(CancellationToken cancellation) => Task.FromResult(Started());

        public Task StopAsync(string server, bool clean, CancellationToken cancellation)
        {
            Allow();
            if (ForgetsWhenStopped) _now.Clear();
            _starting = StartsAfter;
            return Task.CompletedTask;
        }

        public Task PartitionAsync(string server, IReadOnlyList<string> reachable, CancellationToken cancellation)
        {
            Allow();
            if (!Started()) throw new NotAllowedException("the replica is starting");
            if (reachable.Count == 0) Cut[server] = true;
            else Cut.TryRemove(server, out _);
            return Task.CompletedTask;
        }

        public Task<bool> RefusesUnnamedAsync(string server, CancellationToken cancellation)
        {
            Allow();
            if (!Started()) throw new CheckFailedException("a second client could not be opened");
            return Task.FromResult(RefusesUnnamed);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private bool Started()
        {
            if (_starting == 0) return true;
            _starting--;
            return false;
        }

        private void Allow()
        {
            if (!Allows) throw new NotAllowedException("chaos is off");
        }
    }
}
