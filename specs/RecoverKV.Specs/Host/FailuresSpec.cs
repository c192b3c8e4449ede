using RecoverKV.Actors;
using RecoverKV.Actors.Configuration;
using RecoverKV.Client;
using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

public sealed class FailuresSpec
{
    public static TheoryData<Exception, int, string> Known => new()
    {
        { new UsageException("no"), 2, "no" },
        { new InvalidRequestException("the key is empty"), 2, "invalid request: the key is empty" },
        { new InvalidSettingsException("recoverkv.lease is bad"), 2, "recoverkv.lease is bad" },
        { new NotDoneException("no node answers"), 3, "not done: no node answers" },
        { new NodeFailedException("the port is in use"), 3, "the port is in use" },
        { new RecoverKvException("refused"), 3, "refused" },
        { new OutcomeUnknownException("no answer"), 4, "outcome unknown: no answer" },
        { new IOException("disk\r\n full"), 3, "disk full" },
        { new OperationCanceledException(), 3, "interrupted" },
#pragma warning disable CA2201 // What the runtime throws is what is looked at here.
        { new OutOfMemoryException(), 3, "out of memory" },
#pragma warning restore CA2201
        {
            new NotDoneException("no", new IOException("Too many open files")), 3,
            "too many open files: raise the limit of this process (ulimit -n)"
        },
        { new FileNotFoundException("Could not load file or assembly 'System.X'"), 3, Failures.CannotLoad },
        { new ArgumentException("odd\e[2J"), 3, "unexpected ArgumentException: odd?[2J" },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void Each_failure_has_its_exit_code_and_one_line(Exception failure, int code, string text)
    {
        Assert.Equal(code, Failures.CodeOf(failure));
        Assert.Equal(text, Failures.Describe(failure));
    }
}
