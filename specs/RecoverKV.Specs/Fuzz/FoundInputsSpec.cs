using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Fuzz;

/// <summary>Inputs that once broke a decoder.</summary>
public sealed class FoundInputsSpec
{
    private static readonly View View = View.None with
    {
        Members = [new(new NodeId("node1"), Guid.NewGuid())],
        InSync = [new("node1")],
        History = [new Tenure(new Epoch(1), new Uid(1))],
    };

    /// <summary>Hyperion makes an array of any length that a message of some 100 bytes names: gigabytes.</summary>
    [Fact]
    public void A_control_message_cannot_announce_more_than_it_has()
    {
        var valid = ControlCodec.Encode(new InstallView(View));
        for (var at = 0; at + 4 <= valid.Length; at++)
        {
            var bytes = valid.ToArray();
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), 2_000_000_000);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Record.Exception(() => ControlCodec.Decode(bytes));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        }

        byte[] length = BitConverter.GetBytes(2_000_000_000);
        byte[][] others =
            [[9, .. length], [7, 255, .. length], [252, 5, .. length], [252, 2, .. length], [255, .. length]];
        foreach (var other in others) Assert.Contains("length", Refused(other), StringComparison.Ordinal);
    }

    /// <summary>An array in an array in an array, each shorter than what is left: no control message has
    /// arrays.</summary>
    [Fact]
    public void Arrays_are_of_no_type_that_is_read()
    {
        var name = Encoding.UTF8.GetBytes("RecoverKV.Actors.Protocol.MemberId[], RecoverKV.Actors");
        byte[] array = [255, .. BitConverter.GetBytes(name.Length), .. name, .. BitConverter.GetBytes(4000)];
        var bytes = Enumerable.Repeat(array, 1000).SelectMany(b => b).ToArray();
        Refused(bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 192 * 1024);
    }

    /// <summary>A view whose members are a message with a view in it, and so on: the stack of a node
    /// overflowed.</summary>
    [Fact]
    public void A_control_message_cannot_be_nested_without_end()
    {
        var valid = ControlCodec.Encode(new InstallView(View));
        var view = Array.IndexOf(valid, (byte)254, 1);
        foreach (var depth in new[] { 100, 200_000 })
        {
            var nested = Enumerable.Repeat(valid[..view], depth).SelectMany(b => b).ToArray();
            Assert.Contains("deep", Refused(nested), StringComparison.Ordinal);
        }
    }

    /// <summary>Two bytes for a view, again and again: of several only the last one is made.</summary>
    [Fact]
    public void A_fact_has_one_view_however_often_it_is_there()
    {
        const int checksum = 5;
        var fact = new ViewAccepted(View, [], new Uid(7));
        byte[] bytes =
        [
            .. new byte[checksum], .. Enumerable.Repeat(new byte[] { 0x12, 0 }, 16 * 1024).SelectMany(b => b),
            .. FactCodec.Encode(fact).AsSpan(checksum),
        ];
        bytes[0] = 0x0d;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(1), Crc32.HashToUInt32(bytes.AsSpan(checksum)));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var read = Assert.IsType<ViewAccepted>(FactCodec.Decode(FactCodec.Manifest(fact), bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        Assert.Equal(View.Members, read.View.Members);
    }

    /// <summary>Hyperion takes what is missing for zeros, and reads no further than it needs.</summary>
    [Fact]
    public void A_control_message_is_neither_longer_nor_shorter_than_it_says()
    {
        var valid = ControlCodec.Encode(new Synchronize(new Epoch(4), View, new Uid(7), new NodeId("node1")));
        for (var length = 0; length < valid.Length; length++) Refused(valid[..length]);
        Assert.Contains("longer", Refused([.. valid, 0]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_control_message_has_no_nulls()
    {
        Assert.Contains("lacks", Refused(ControlCodec.Encode(new Promise(new Epoch(1), null!, new Uid(1), new Uid(1)))),
            StringComparison.Ordinal);
        Assert.Contains("lacks", Refused(ControlCodec.Encode(new Synchronize(new Epoch(1), View, new Uid(1), default))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void No_control_message_has_a_field_of_32_bits()
    {
        // What ControlStream relies on: four bytes at once are a length.
        Type[] small = [typeof(int), typeof(uint), typeof(float)];
        Type[] others =
        [
            typeof(Hello), typeof(Unreadable), typeof(Append), typeof(Appended), typeof(Commit), typeof(Heartbeat),
            typeof(HeartbeatAck), typeof(Fetch), typeof(Entries), typeof(Compacted), typeof(FetchState),
            typeof(StatePage),
        ];
        var types = typeof(PeerMessage).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(PeerMessage)))
            .Except(others).Append(typeof(MemberId)).Append(typeof(ControlCodec.ViewForm)).ToArray();
        Assert.Equal(13 + 2, types.Length);
        Assert.DoesNotContain(
            types.SelectMany(t => t.GetProperties()), p => p.CanWrite && small.Contains(p.PropertyType));
    }

    [Fact]
    public void A_batch_has_no_more_requests_than_a_node_may_put_into_one()
    {
        byte[] Append(int requests)
        {
            var writer = new WireWriter();
            WireTypes.Write(
                writer, 1, new Header(new MemberId(new NodeId("node1"), default), new NodeId("node2"), default, 0));
            var mark = writer.Begin(4);
            for (var i = 0; i < requests; i++) writer.AlwaysBytes(3, []);
            writer.End(mark);
            return writer.ToArray();
        }

        Assert.IsType<Append>(PeerCodec.Decode("A", Append(65536)).Message);
        Assert.Throws<FormatException>(() => PeerCodec.Decode("A", Append(65537)));
    }

    [Fact]
    public void Many_operations_take_no_more_than_their_room()
    {
        var request = new byte[2 * 1024];
        for (var i = 0; i < request.Length; i += 2) request[i] = 4 << 3 | 2;
        WriteRequestCodec.Decode(request);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var decoded = WriteRequestCodec.Decode(request);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 33 * request.Length);
        Assert.Equal(1024, decoded.Operations.Count);
    }

    /// <summary>The parser of HOCON is recursive: some ten thousand of either end the process.</summary>
    [Theory]
    [InlineData("a{", "}", "blocks or lists")]
    [InlineData("a=[", "]", "blocks or lists")]
    [InlineData("a.", "b=1", "parts")]
    public void Settings_are_not_nested_without_end(string open, string close, string problem)
    {
        var text = new StringBuilder();
        for (var i = 0; i < 100_000; i++) text.Append(i > 0 && open == "a=[" ? "[" : open);
        for (var i = 0; i < (close.Length == 1 ? 100_000 : 1); i++) text.Append(close);

        var wrong = Assert.Throws<InvalidSettingsException>(() => NodeSettings.Parse(text.ToString()));
        Assert.Contains(problem, wrong.Message, StringComparison.Ordinal);
    }

    /// <summary>The parser never came back.</summary>
    [Fact]
    public void A_dollar_that_begins_no_substitution_needs_quotes()
    {
        var wrong = Assert.Throws<InvalidSettingsException>(() => NodeSettings.Parse("a = [\"b\",$\"c\"]"));
        Assert.Contains("'$' must stand in quotes", wrong.Message, StringComparison.Ordinal);
    }

    /// <summary>The parser never came back.</summary>
    [Theory]
    [InlineData("a = [\"b\", ${?c}\"d\"]")]
    [InlineData("a = [\"b\"${?c}, \"d\"]")]
    public void A_substitution_in_a_list_stands_alone(string text)
    {
        var wrong = Assert.Throws<InvalidSettingsException>(() => NodeSettings.Parse(text));
        Assert.Contains("stands alone", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_setting_with_a_nul_is_named()
    {
        var wrong = Assert.Throws<InvalidSettingsException>(
            () => NodeSettings.Parse("recoverkv {\n data = \"/tmp/n\0m\"\n}"));
        Assert.Contains("Line 2 is not HOCON: a character of the code 0", wrong.Message, StringComparison.Ordinal);
    }

    private static string Refused(byte[] bytes) =>
        Assert.Throws<FormatException>(() => ControlCodec.Decode(bytes)).Message;
}
