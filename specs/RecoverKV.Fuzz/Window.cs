using System.IO.MemoryMappedFiles;
using System.Text;

namespace RecoverKV.Fuzz;

/// <summary>Where one process shows the input that it works on and another one sees it, whatever becomes of the first.
/// </summary>
internal sealed class Window : IDisposable
{
    private const int NameAt = 16, InputAt = 256, Size = InputAt + 16 * 1024 * 1024;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private long _count;

    public Window(string file)
    {
        _file = MemoryMappedFile.CreateFromFile(file, FileMode.OpenOrCreate, null, Size);
        _view = _file.CreateViewAccessor();
    }

    /// <summary>How many inputs were shown.</summary>
    public long Count => _view.ReadInt64(0);

    /// <summary>The decoder that is worked on.</summary>
    public string Target => Encoding.UTF8.GetString(Read(NameAt, _view.ReadInt32(12)));

    /// <summary>The input that is worked on.</summary>
    public byte[] Input => Read(InputAt, _view.ReadInt32(8));

    public void Enter(string target)
    {
        var name = Encoding.UTF8.GetBytes(target);
        _view.WriteArray(NameAt, name, 0, name.Length);
        _view.Write(12, name.Length);
        Show([]);
    }

    public void Show(byte[] input)
    {
        _view.WriteArray(InputAt, input, 0, input.Length);
        _view.Write(8, input.Length);
        _view.Write(0, ++_count);
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    private byte[] Read(int at, int length)
    {
        var bytes = new byte[length];
        _view.ReadArray(at, bytes, 0, length);
        return bytes;
    }
}
