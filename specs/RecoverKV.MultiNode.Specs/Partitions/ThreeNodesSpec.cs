using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs.Partitions;

/// <summary>Every shape of partition of three nodes.</summary>
public sealed class ThreeNodesSpec(ThreeNodesSpec.Fixture fixture)
    : PartitionSpec(fixture), IClassFixture<ThreeNodesSpec.Fixture>
{
    [Theory]
    // One node is cut off.
    [InlineData("S|AB", "AB", "S")]
    [InlineData("A|SB", "SB", "A")]
    [InlineData("B|SA", "SA", "B")]
    // Nobody reaches anybody.
    [InlineData("S|A|B", "", "SAB")]
    // One link is cut.
    [InlineData("S-A", "SB", "A")]
    [InlineData("S-B", "SA", "B")]
    [InlineData("A-B", "SAB", "")]
    // One link is cut one way.
    [InlineData("S>A", "SB", "A")]
    [InlineData("S>B", "SA", "B")]
    [InlineData("A>S", "SB", "A")]
    [InlineData("B>S", "SA", "B")]
    [InlineData("A>B", "SAB", "")]
    [InlineData("B>A", "SAB", "")]
    // One node cannot send, or cannot receive.
    [InlineData("S>AB", "AB", "S")]
    [InlineData("AB>S", "AB", "S")]
    [InlineData("A>SB", "SB", "A")]
    [InlineData("SB>A", "SB", "A")]
    // Messages pass one way round a ring: nobody gets an answer.
    [InlineData("S>A A>B B>S", "", "SAB")]
    public Task Holds(string shape, string serving, string silent) => HoldsAsync(shape, serving, silent);

    public sealed class Fixture() : PartitionedCluster(3);
}
