using System.Globalization;
using RecoverKV.Client;

namespace RecoverKV.Specs.Host;

/// <summary>A store without room for more data: it says so, serves what it has, and goes on when there is
/// room.</summary>
public sealed class FullStoreSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("quota.memory=16MiB", "the memory of node", "recoverkv.quota.memory")]
    [InlineData("quota.disk=64MiB", "the disk of node", "is full")]
    public async Task It_refuses_what_adds_data_and_takes_it_again_when_enough_was_deleted(
        string setting, string whose, string which)
    {
        await using var up = await RunningUp.StartWithSettingsAsync(_folder.File("data"), setting);
        await using var client = await RecoverKvClient.ConnectAsync(up.Contact.Split(','));
        var value = new byte[200_000];
        var keys = new List<string>();
        StoreFullException? full = null;
        while (full is null)
        {
            var key = keys.Count.ToString(CultureInfo.InvariantCulture);
            try
            {
                await client.PutAsync(key, value);
                keys.Add(key);
            }
            catch (StoreFullException e)
            {
                full = e;
            }

            Assert.True(keys.Count < 400, "80 MB are beyond the quota");
        }

        Assert.Contains(whose, full.Message, StringComparison.Ordinal);
        Assert.Contains(which, full.Message, StringComparison.Ordinal);
        var (code, _, error) = await up.RunAsync(["put", "more", new string('v', 200_000)]);
        Assert.Equal(3, code);
        Assert.StartsWith("recoverkv: store full: The write was not done: ", error, StringComparison.Ordinal);
        Assert.Contains("the store is full: ", (await up.RunAsync(["status"])).Output, StringComparison.Ordinal);
        Assert.Equal(value.Length, (await client.GetAsync(keys[0])).Version!.Value.Length);

        foreach (var key in keys) await client.DeleteAsync(key);
        // Where it is the disk, the next checkpoint makes the room.
        while (await IsFullAsync(client)) await Task.Delay(50);
        Assert.Equal("again", (await client.GetAsync("more")).Text);
    }

    private static async Task<bool> IsFullAsync(RecoverKvClient client)
    {
        try
        {
            await client.PutAsync("more", "again");
            return false;
        }
        catch (StoreFullException)
        {
            return true;
        }
    }
}
