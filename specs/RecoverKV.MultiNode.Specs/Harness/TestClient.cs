using System.Net.Sockets;
using System.Text;
using RecoverKV.Client;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>Speaks the contract to the gateway of one particular node, over a new connection for each question. No
/// answer in time is null.</summary>
internal sealed class TestClient(TlsOptions? tls)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(1);
    private readonly Strand _strand = new();
    private long _lastId;

    public Task<NodeStatus?> StatusAsync(TestNode node) => AskAsync<NodeStatus>(node, new NodeStatusRequest(NextId()));

    public async Task<(WriteAnswer Answer, ClusterView? View)?> WriteAsync(
        TestNode node, WriteRequest request, TimeSpan? limit = null)
    {
        var replies = await AskAsync<WriteReplies>(node, new WriteBatch([request]), limit);
        return replies is null ? null : (Assert.Single(replies.Answers), replies.View);
    }

    public async Task<ReadAnswer?> ReadAsync(TestNode node, ReadConsistency consistency, params Key[] keys)
    {
        var replies = await AskAsync<ReadReplies>(node, new ReadBatch(consistency, [new Read(NextId(), keys)]));
        return replies is null ? null : Assert.Single(replies.Answers);
    }

    public Task<ScanReply?> ScanAsync(TestNode node, ReadOnlyMemory<byte> cursor, int maxItems) => AskAsync<ScanReply>(
        node, new ScanRequest(NextId(), ReadConsistency.Linearizable, cursor, maxItems), TestCluster.Patience);

    public Task<T?> AskAsync<T>(TestNode node, object message, TimeSpan? limit = null) where T : class =>
        AskAsync<T>(node, ClientCodec.ManifestOf(message), ClientCodec.Encode(message).ToArray(), limit ?? AnswerLimit);

    /// <summary>Asks by any bytes.</summary>
    public async Task<T?> AskAsync<T>(TestNode node, string manifest, byte[] message, TimeSpan limit) where T : class
    {
        try
        {
            var link = await Dialer.ConnectAsync(new ContactPoint(node.Host, node.Port), _strand, tls);
            var answer = new Answer<T>();
            link.Start(answer);
            link.Write([(byte)manifest.Length, .. Encoding.ASCII.GetBytes(manifest)], message);
            try
            {
                return await answer.Came.WaitAsync(limit);
            }
            finally
            {
                link.Close();
            }
        }
        catch (Exception e) when (e is TimeoutException or SocketException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    public long NextId() => Interlocked.Increment(ref _lastId);

    private sealed class Answer<T> : ILinkListener where T : class
    {
        private readonly TaskCompletionSource<T?> _came = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T?> Came => _came.Task;

        public void Received(byte[] frame)
        {
            if (ClientCodec.Decode(frame) is T answer) _came.TrySetResult(answer);
        }

        public void StillComing()
        {
        }

        public void Ended() => _came.TrySetResult(null);
    }
}
