namespace RecoverKV.Actors.Serialization;

/// <summary>A file, or a part of it, has a form that this build does not know: it is of a newer one.</summary>
internal sealed class OtherFormException(string message) : FormatException(message)
{
    /// <summary>Reads what is as it was written, by its checksum: if it cannot be read, its form is not
    /// known.</summary>
    public static T UnlessKnown<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException e)
        {
            throw new OtherFormException(e.Message);
        }
    }
}
