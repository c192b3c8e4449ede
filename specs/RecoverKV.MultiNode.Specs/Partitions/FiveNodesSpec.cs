using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs.Partitions;

/// <summary>The shapes of partition of five nodes, up to which of the followers they hit.</summary>
public sealed class FiveNodesSpec(FiveNodesSpec.Fixture fixture)
    : PartitionSpec(fixture), IClassFixture<FiveNodesSpec.Fixture>
{
    [Theory]
    // In two.
    [InlineData("S|ABCD", "ABCD", "S")]
    [InlineData("C|SABD", "SABD", "C")]
    [InlineData("SA|BCD", "BCD", "SA")]
    [InlineData("AB|SCD", "SCD", "AB")]
    // In three and more: with a majority, and without.
    [InlineData("S|A|BCD", "BCD", "SA")]
    [InlineData("A|B|SCD", "SCD", "AB")]
    [InlineData("SA|BC|D", "", "SABCD")]
    [InlineData("S|AB|CD", "", "SABCD")]
    [InlineData("SA|B|C|D", "", "SABCD")]
    [InlineData("S|A|B|C|D", "", "SABCD")]
    // Single links.
    [InlineData("S-A", "SBCD", "A")]
    [InlineData("B-C", "SABCD", "")]
    // A bridge: B reaches both sides, which do not reach each other.
    [InlineData("SA-CD", "SAB", "CD")]
    [InlineData("AB-CD", "SABCD", "")]
    // The sequencer reaches one other node, which reaches all.
    [InlineData("S-ACD", "ACD", "S")]
    // One way.
    [InlineData("S>ABCD", "ABCD", "S")]
    [InlineData("ABCD>S", "ABCD", "S")]
    [InlineData("S>AB", "SCD", "AB")]
    [InlineData("S>ABC", "ABC", "S")]
    [InlineData("AB>S", "SCD", "AB")]
    [InlineData("SA>BCD", "BCD", "SA")]
    [InlineData("BCD>SA", "BCD", "SA")]
    [InlineData("AB>SCD", "SCD", "AB")]
    [InlineData("SCD>AB", "SCD", "AB")]
    public Task Holds(string shape, string serving, string silent) => HoldsAsync(shape, serving, silent);

    public sealed class Fixture() : PartitionedCluster(5);
}
