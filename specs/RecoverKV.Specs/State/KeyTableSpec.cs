using System.Text;
using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client;

namespace RecoverKV.Specs.State;

/// <summary>The memory of the state: what is in it, where, and how much it takes.</summary>
public sealed class KeyTableSpec
{
    private static byte[] Value(int step, int length)
    {
        var value = new byte[length];
        Array.Fill(value, (byte)step);
        return value;
    }

    private static void Put(KeyTable table, Key key, ReadOnlySpan<byte> value, long uid)
    {
        // Numbers of all lengths.
        var fields = new RecordFields(uid << (int)(uid % 50), uid << (int)(uid % 55), uid << (int)(uid * 7 % 55));
        if (table.Find(key) is >= 0 and var slot) table.Replace(slot, value, uid, fields);
        else table.Add(key, value, uid, fields);
        Assert.Equal(fields, table.Fields(table.Find(key)));
    }

    // Lengths for which a segment holds many records, few, and one.
    private static readonly Gen<int> Lengths =
        Gen.Frequency((10, Gen.Int[0, 200]), (3, Gen.Int[1_000, 5_000]), (1, Gen.Int[60_000, 300_000]));

    [Fact]
    public void It_holds_what_was_written_last_and_a_key_that_stays_keeps_its_slot() =>
        Gen.Select(Gen.Int[0, 40], Gen.Int[0, 3], Lengths).List[0, 300].Sample(
            steps =>
            {
                var table = new KeyTable();
                var expected = new Dictionary<Key, (byte[] Value, long Uid, int Slot)>();
                var slices = new List<(ReadOnlyMemory<byte> Slice, byte[] Value)>();
                for (var i = 0; i < steps.Count; i++)
                {
                    Key key = $"key {steps[i].Item1}";
                    if (steps[i].Item2 == 0)
                    {
                        if (expected.Remove(key, out var removed)) table.Remove(removed.Slot);
                    }
                    else
                    {
                        var value = Value(i, steps[i].Item3);
                        Put(table, key, value, i + 1);
                        var slot = table.Find(key);
                        if (expected.TryGetValue(key, out var before)) Assert.Equal(before.Slot, slot);
                        expected[key] = (value, i + 1, slot);
                        slices.Add((table.Value(slot), value));
                    }
                }

                Assert.Equal(expected.Count, table.Count);
                foreach (var (key, (value, uid, slot)) in expected)
                {
                    Assert.Equal(slot, table.Find(key));
                    Assert.Equal((key, uid), (new Key(table.Key(slot)), table.Uid(slot)));
                    Assert.Equal(uid << (int)(uid % 55), table.Fields(slot).Modified);
                    Assert.True(table.Value(slot).Span.SequenceEqual(value));
                }

                for (var k = 0; k <= 40; k++)
                    if (!expected.ContainsKey($"key {k}")) Assert.Equal(-1, table.Find($"key {k}"));
                Assert.Equal(
                    expected.OrderBy(e => e.Key).Select(e => e.Value.Slot), table.Within(KeyRange.All, reverse: false));
                // Readers still have these; what was overwritten, removed or moved meanwhile has not changed for them.
                foreach (var (slice, value) in slices) Assert.True(slice.Span.SequenceEqual(value));
            },
            iter: 300);

    [Fact]
    public void A_hundred_thousand_keys_are_found_while_others_come_and_go()
    {
        var table = new KeyTable();
        var removed = new HashSet<int>();
        for (var i = 0; i < 100_000; i++)
        {
            table.Add($"{i}", Encoding.ASCII.GetBytes($"value {i}"), i + 1, new RecordFields(1, 1, 1));
            if (i % 3 != 0) continue;
            table.Remove(table.Find($"{i / 2}"));
            removed.Add(i / 2);
        }

        Assert.Equal(100_000 - removed.Count, table.Count);
        for (var i = 0; i < 100_000; i++)
        {
            var slot = table.Find($"{i}");
            Assert.Equal(removed.Contains(i), slot < 0);
            if (slot >= 0) Assert.Equal($"value {i}", Encoding.ASCII.GetString(table.Value(slot).Span));
        }
    }

    [Fact]
    public void Removed_records_take_at_most_as_much_memory_as_the_others_and_a_few_segments()
    {
        const long FewSegments = 3 * 256 * 1024;
        var places = new Dictionary<int, RecordAddress>();
        var memory = new RecordMemory((slot, address) => places[slot] = address);
        var random = new Random(1);
        for (var i = 0; i < 200_000; i++)
        {
            // Most writes hit few keys: old segments are left with what nobody writes again.
            var slot = random.Next(random.Next(4) == 0 ? 5_000 : 50);
            var key = BitConverter.GetBytes(slot);
            var added = memory.Add(slot, key, Value(slot, random.Next(200)), new RecordFields(1, i, i));
            if (places.Remove(slot, out var before)) memory.Remove(before);
            // Cleaning may have moved what was just added.
            places.TryAdd(slot, added);
            Assert.True(
                memory.UsedBytes <= (2 * memory.LiveBytes) + FewSegments,
                $"{memory.UsedBytes} of which {memory.LiveBytes} live");
        }

        foreach (var (slot, address) in places)
        {
            Assert.Equal(slot, BitConverter.ToInt32(memory.Key(address).Span));
            Assert.Equal(-1, memory.Value(address).Span.IndexOfAnyExcept((byte)slot));
        }

        foreach (var slot in places.Keys.ToList())
        {
            places.Remove(slot, out var address);
            memory.Remove(address);
        }

        Assert.Equal(0, memory.LiveBytes);
        Assert.InRange(memory.UsedBytes, 0, FewSegments);
    }
}
