namespace RecoverKV.Client.Connection;

/// <summary>A message that was sent; it has landed when any call in it was answered.</summary>
internal sealed class Flight(long departed, int calls)
{
    internal long Departed { get; } = departed;

    internal int Calls { get; } = calls;

    internal bool Landed { get; set; }
}

/// <summary>
/// How calls are gathered without delaying any of them by a timer: an idle client sends at once; while a message is on
/// its way, the next one departs when as many calls wait as the last one took. So messages grow with the load, and
/// sending, storing and answering overlap. A lost message, or one whose calls all wait, holds the others back for
/// <see cref="Timing.FlightMost"/> only. Not thread-safe.
/// </summary>
internal sealed class Flights
{
    private readonly Queue<Flight> _flights = new();
    private int _inAir;
    private int _last;

    /// <summary>Calls in messages that have not landed.</summary>
    internal int Calls { get; private set; }

    internal bool MayDepart(int waiting) => _inAir == 0 || _inAir < Timing.Flights && waiting >= _last;

    internal Flight Depart(long now, int calls)
    {
        var flight = new Flight(now, calls);
        _flights.Enqueue(flight);
        _inAir++;
        Calls += calls;
        _last = calls;
        return flight;
    }

    internal void Land(Flight? flight)
    {
        if (flight is null || flight.Landed) return;
        flight.Landed = true;
        _inAir--;
        Calls -= flight.Calls;
        while (_flights.TryPeek(out var first) && first.Landed) _flights.Dequeue();
    }

    internal void Sweep(long now)
    {
        while (_flights.TryPeek(out var first) && now - first.Departed >= Timing.FlightMost) Land(first);
    }
}
