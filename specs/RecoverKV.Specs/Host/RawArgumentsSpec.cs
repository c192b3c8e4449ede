using System.Text;
using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

public sealed class RawArgumentsSpec
{
    [Theory]
    [InlineData("recoverkv\0get\0k\0", 2)]
    [InlineData("recoverkv\0put\0k\0\0", 3)]
    [InlineData("recoverkv\0get\0\uFFFD\0", 2)]
    [InlineData("recoverkv\0", 0)]
    public void Text_is_taken(string commandLine, int arguments) =>
        RawArguments.Check(Encoding.UTF8.GetBytes(commandLine), arguments);

    [Fact]
    public void Bytes_that_are_no_text_are_refused_with_what_to_do()
    {
        byte[] commandLine = [.. "recoverkv\0get\0"u8, 0xFF, 0];
        var refused = Assert.Throws<UsageException>(() => RawArguments.Check(commandLine, 2));
        Assert.Contains("--hex", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_of_the_program_is_no_argument() => RawArguments.Check([0xFF, 0, .. "get\0k\0"u8], 2);
}
