using System.Globalization;
using Microsoft.Data.Sqlite;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>What happens to the journals of nodes that are down.</summary>
internal static class Journals
{
    /// <summary>The events up to this number can't be read any more.</summary>
    public static void Blank(string journal, long upTo) =>
        Execute(journal, string.Create(
            CultureInfo.InvariantCulture, $"UPDATE journal SET message = zeroblob(9) WHERE sequence_number <= {upTo}"));

    /// <summary>The events from this number on are gone.</summary>
    public static void Cut(string journal, long from) =>
        Execute(journal, string.Create(
            CultureInfo.InvariantCulture, $"DELETE FROM journal WHERE sequence_number >= {from}"));

    /// <summary>An event is of another kind.</summary>
    public static void Rename(string journal, long number, string manifest) =>
        Execute(journal, string.Create(
            CultureInfo.InvariantCulture,
            $"UPDATE journal SET manifest = '{manifest}' WHERE sequence_number = {number}"));

    private static void Execute(string journal, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={journal};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.True(command.ExecuteNonQuery() > 0);
    }
}
