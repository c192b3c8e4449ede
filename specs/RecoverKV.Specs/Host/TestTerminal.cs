using System.Text;
using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

/// <summary>A terminal whose output is kept.</summary>
internal sealed class TestTerminal : IDisposable
{
    private readonly MemoryStream _output = new();
    private readonly StringWriter _error = new();
    private readonly MemoryStream _input;

    public TestTerminal(string input = "")
    {
        _input = new MemoryStream(Encoding.UTF8.GetBytes(input));
        Terminal = new Terminal(_input, _output, _error);
    }

    public Terminal Terminal { get; }

    public string Output => Encoding.UTF8.GetString(_output.ToArray());

    public string Error => _error.ToString();

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
        _error.Dispose();
    }
}
