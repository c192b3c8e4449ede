using System.Net;
using System.Net.Sockets;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>Connections that say nothing, and more connections than a process may have files.</summary>
public sealed class StrangersSpec : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);
    private readonly List<Socket> _open = [];
    private int _crowdedOut;

    public StrangersSpec() => _server.Start();

    public void Dispose()
    {
        foreach (var socket in _open) socket.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Who_says_nothing_is_closed()
    {
        var strangers = new Strangers(10, TimeSpan.FromMilliseconds(50));
        var (there, here) = await ConnectAsync();
        Assert.Null(await ListenAsync(strangers, here).WaitAsync(Limit));
        await AssertClosedAsync(there);
        Assert.Equal(0, _crowdedOut);
    }

    [Fact]
    public async Task Who_has_waited_longest_makes_place_and_who_says_hello_comes_in()
    {
        var strangers = new Strangers(2, Limit);
        var silent = new List<(Socket There, Task<byte[]?> First)>();
        for (var i = 0; i < 5; i++)
        {
            var (there, here) = await ConnectAsync();
            silent.Add((there, ListenAsync(strangers, here)));
        }

        foreach (var (there, first) in silent[..3])
        {
            Assert.Null(await first.WaitAsync(Limit));
            await AssertClosedAsync(there);
        }

        Assert.Equal(3, _crowdedOut);
        await silent[4].There.SendAsync(new byte[] { 2, 0, 0, 0, 8, 9, 1 });
        Assert.Equal([8, 9], await silent[4].First.WaitAsync(Limit));
        // What came in has left the crowd: there is place for another.
        var (last, mine) = await ConnectAsync();
        var next = ListenAsync(strangers, mine);
        await last.SendAsync(new byte[] { 1, 0, 0, 0, 8 });
        Assert.Equal([8], await next.WaitAsync(Limit));
        Assert.Equal(3, _crowdedOut);
        strangers.Close();
        Assert.Null(await silent[3].First.WaitAsync(Limit));
    }

    [Fact]
    public async Task Who_makes_place_while_it_talks_does_not_come_in_by_what_it_says_after_that()
    {
        var strangers = new Strangers(1, Limit);
        var (_, here) = await ConnectAsync();
        var said = new TaskCompletionSource<string?>();
        var first = strangers.ListenAsync(here, _ => said.Task, () => _crowdedOut++);
        var (there, next) = await ConnectAsync();
        var second = strangers.ListenAsync(next, _ => Task.FromResult<string?>("knock"), () => _crowdedOut++);
        Assert.Equal("knock", await second.WaitAsync(Limit));
        said.SetResult("late");
        Assert.Null(await first.WaitAsync(Limit));
        Assert.Equal(1, _crowdedOut);
        Assert.True(there.Connected);
    }

    [Fact]
    public async Task A_hello_that_is_none_is_closed()
    {
        var strangers = new Strangers(10, Limit);
        var (there, here) = await ConnectAsync();
        await there.SendAsync(new byte[] { 0, 0, 16, 0, 8, 9 });
        Assert.Null(await ListenAsync(strangers, here).WaitAsync(Limit));
    }

    [Fact]
    public void A_limit_keeps_files_from_clients_and_some_from_peers()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var number = (int)socket.SafeHandle.DangerousGetHandle();
        Assert.True(new Descriptors(number + 200).MayKeep(socket, isPeer: false));
        // The last hundred are not for clients, and the last few for nobody.
        var scarce = new Descriptors(number + 14);
        Assert.False(scarce.MayKeep(socket, isPeer: false));
        Assert.Equal(number + 14 < 14 * 32, scarce.MayKeep(socket, isPeer: true));
        Assert.False(new Descriptors(number + 3).MayKeep(socket, isPeer: true));
        var failure = Assert.Throws<TooFewDescriptorsException>(() => scarce.Check(socket));
        Assert.Contains("too few file descriptors", failure.Message, StringComparison.Ordinal);
    }

    private static async Task AssertClosedAsync(Socket there)
    {
        try
        {
            Assert.Equal(0, await there.ReceiveAsync(new byte[1]).WaitAsync(Limit));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // It was closed without a goodbye.
        }
    }

    private Task<byte[]?> ListenAsync(Strangers strangers, Socket socket)
    {
        var (stream, incoming) = (new NetworkStream(socket), new FrameReader(Knock.Longest));
        return strangers.ListenAsync(
            socket, limit => Greeting.ReceiveAsync(stream, incoming, limit), () => _crowdedOut++);
    }

    private async Task<(Socket There, Socket Here)> ConnectAsync()
    {
        var there = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await there.ConnectAsync(_server.LocalEndpoint);
        var here = await _server.AcceptSocketAsync();
        _open.Add(there);
        _open.Add(here);
        return (there, here);
    }
}
