using System.Runtime.InteropServices;

namespace RecoverKV.Host;

/// <summary>Turns SIGINT and SIGTERM into a cancelled token instead of the end of the process.</summary>
internal sealed class InterruptSource : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly Action? _onSecond;
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>Starts to listen.</summary>
    /// <param name="onSecond">What a second signal does; by default it ends the process as usual.</param>
    /// <param name="ignoreInteractive">Whether SIGINT is left to whoever started this process: a terminal sends it
    /// to both.</param>
    public InterruptSource(Action? onSecond = null, bool ignoreInteractive = false)
    {
        _onSecond = onSecond;
        _registrations =
        [
            PosixSignalRegistration.Create(
                PosixSignal.SIGINT, ignoreInteractive ? context => context.Cancel = true : Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
        ];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }

    /// <summary>Does what the first signal does.</summary>
    public void Interrupt() => _source.Cancel();

    private void Handle(PosixSignalContext context)
    {
        if (!_source.IsCancellationRequested)
        {
            context.Cancel = true;
            _source.Cancel();
        }
        else if (_onSecond is not null)
        {
            context.Cancel = true;
            _onSecond();
        }
    }
}
