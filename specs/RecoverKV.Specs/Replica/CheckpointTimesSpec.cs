using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Replica;

namespace RecoverKV.Specs.Replica;

/// <summary>R10: a replica makes checkpoints so often that a start has little to replay, and so seldom that writes pay
/// little for them.</summary>
public sealed class CheckpointTimesSpec
{
    private const long Writes = 500_000, Bytes = 1_000_000_000;
    private readonly CheckpointTimes _times = new(new CheckpointSettings(Writes, Bytes));
    private TimeSpan _now = TimeSpan.FromHours(7);
    private long _applied = 5_000_000;

    // As a replica asks every 10 ms, for two seconds, with so many writes in each.
    private bool IsTimeAt(long writesInSecond, long writes, long keys)
    {
        var isTime = false;
        for (var i = 0; i < 200; i++)
        {
            (_now, _applied) = (_now + TimeSpan.FromMilliseconds(10), _applied + writesInSecond / 100);
            isTime = _times.IsTime(_now, new Uid(_applied), writes, 0, keys, null, isFull: false);
        }

        return isTime;
    }

    [Theory]
    [InlineData(1_000_000, 249_999, false)]
    [InlineData(1_000_000, 250_000, true)]
    // Of few keys some writes in any case; of many no more than under load.
    [InlineData(100, 49_999, false)]
    [InlineData(100, 50_000, true)]
    [InlineData(100_000_000, 499_999, false)]
    [InlineData(100_000_000, 500_000, true)]
    public void In_quiet_times_a_share_of_the_keys_is_enough(long keys, long writes, bool expected) =>
        Assert.Equal(expected, IsTimeAt(1000, writes, keys));

    [Fact]
    public void Under_load_it_waits_for_as_many_writes_or_bytes_as_the_settings_say()
    {
        Assert.False(IsTimeAt(100_000, Writes - 1, 1000));
        Assert.True(IsTimeAt(100_000, Writes, 1000));
        // Where the disk is full the journal should forget as soon as it can.
        Assert.True(_times.IsTime(_now, new Uid(_applied), 1, 1, 1000, null, isFull: true));
        Assert.False(_times.IsTime(_now, new Uid(_applied), 0, 0, 1000, null, isFull: true));
        Assert.True(_times.IsTime(_now, new Uid(_applied), 1, Bytes, 1000, null, isFull: false));
        Assert.False(_times.IsTime(_now, new Uid(_applied), 1, Bytes - 1, 1000, null, isFull: false));
    }

    [Fact]
    public void Load_ends_a_quiet_time_and_the_other_way_round()
    {
        Assert.True(IsTimeAt(0, 60_000, 1000));
        Assert.False(IsTimeAt(CheckpointTimes.QuietWrites, 60_000, 1000));
        Assert.True(IsTimeAt(CheckpointTimes.QuietWrites - 100, 60_000, 1000));
    }

    [Fact]
    public void A_time_of_which_nothing_is_known_yet_is_not_quiet() =>
        Assert.False(_times.IsTime(_now, new Uid(_applied), 60_000, 0, 1000, null, isFull: false));

    [Fact]
    public void One_that_a_peer_takes_stays_until_the_log_behind_it_is_long()
    {
        Assert.False(
            _times.IsTime(_now, new Uid(_applied), 100 * Writes, 4 * Bytes + 19, 1000, givenSize: 10, isFull: true));
        Assert.True(
            _times.IsTime(_now, new Uid(_applied), 100 * Writes, 4 * Bytes + 20, 1000, givenSize: 10, isFull: true));
    }

    [Theory]
    [InlineData(100_000, 200_000, true)]
    [InlineData(100_000, 199_999, false)]
    [InlineData(10, 49_999, false)]
    [InlineData(10, 50_000, true)]
    public void Before_a_stop_it_is_worth_it_where_many_writes_were_to_few_keys(
        long keys, long writes, bool expected) =>
        Assert.Equal(expected, _times.IsWorthBeforeStop(writes, keys));
}
