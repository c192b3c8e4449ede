namespace RecoverKV.Host.Grpc;

/// <summary>The codes of the original's answers.</summary>
internal static class Codes
{
    public const int Done = 0;
    public const int Found = 0;
    public const int Absent = 1;
    public const int Existed = 0;
    public const int New = 1;
    public const int Failed = -1;
    public const int WriteFailed = -2;
}
