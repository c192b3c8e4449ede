using System.Buffers.Binary;
using CsCheck;
using RecoverKV.Actors.State;
using RecoverKV.Client;

namespace RecoverKV.Specs.State;

/// <summary>Keys in their order, beside a plain sorted set that says what the order is.</summary>
public sealed class KeyOrderSpec
{
    private readonly List<Key> _keys = [];
    private readonly KeyOrder _order;
    private readonly SortedDictionary<Key, int> _expected = [];

    public KeyOrderSpec() => _order = new KeyOrder(slot => _keys[slot].Bytes);

    private void Put(Key key)
    {
        if (!_expected.TryAdd(key, _keys.Count)) return;
        _keys.Add(key);
        _order.Add(_keys.Count - 1);
    }

    private void Remove(Key key)
    {
        if (_expected.Remove(key, out var slot)) _order.Remove(slot);
    }

    private void Check()
    {
        Assert.Equal(_expected.Values, _order.Ascending(default));
        Assert.Equal(_expected.Values.Reverse(), _order.Descending(null));
    }

    private static Key Number(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    [Fact]
    public void Keys_of_few_bytes_that_come_and_go_stand_in_their_order_and_every_bound_is_found() =>
        Gen.Select(Gen.Bool, Gen.Byte[0, 3].Array[1, 5]).Array[0, 400].Sample(
            steps =>
            {
                var spec = new KeyOrderSpec();
                foreach (var (put, key) in steps)
                {
                    if (put) spec.Put(key);
                    else spec.Remove(key);
                }

                spec.Check();
                foreach (var (_, bound) in steps.Take(20))
                {
                    Key from = bound;
                    Assert.Equal(
                        spec._expected.Where(e => e.Key >= from).Select(e => e.Value), spec._order.Ascending(bound));
                    Assert.Equal(
                        spec._expected.Where(e => e.Key < from).Select(e => e.Value).Reverse(),
                        spec._order.Descending(bound));
                }
            },
            iter: 300);

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(7_919)]
    public void Twenty_thousand_keys_stand_in_their_order_however_they_came_and_went(int step)
    {
        const int Keys = 20_000;
        for (var i = 0; i < Keys; i++) Put(Number((int)((((long)i * step % Keys) + Keys) % Keys)));
        Check();
        for (var i = 0; i < Keys; i++)
            if (i % 97 != 0) Remove(Number(i));
        Check();
        // What was full of deleted keys is not kept: 207 keys are left.
        Assert.InRange(_order.LeafCount, 1, 3);
        for (var i = 0; i < Keys; i += 3) Put(Number(i));
        Check();
    }

    [Fact]
    public void Keys_that_come_in_their_order_fill_their_leaves()
    {
        for (var i = 0; i < 51_200; i++) Put(Number(i));
        Assert.Equal(100, _order.LeafCount);
    }
}
