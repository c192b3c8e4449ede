namespace RecoverKV.Client.Connection;

/// <summary>A message that was sent; it has landed when any call in it was answered.</summary>
internal sealed class Flight(long departed)
{
    internal long Departed { get; } = departed;

    internal bool Landed { get; set; }
}

/// <summary>
/// How calls are gathered without delaying any of them by a timer: a few messages may be on their way to a node; calls
/// that come while these are without an answer go together in the next one. An idle client sends at once, a busy one
/// sends few large messages. A lost message, or one whose calls all wait, holds the others back for
/// <see cref="Timing.FlightMost"/> only. Not thread-safe.
/// </summary>
internal sealed class Flights
{
    private readonly Queue<Flight> _flights = new();
    private int _inAir;

    internal bool MayDepart => _inAir < Timing.Flights;

    internal Flight Depart(long now)
    {
        var flight = new Flight(now);
        _flights.Enqueue(flight);
        _inAir++;
        return flight;
    }

    internal void Land(Flight? flight)
    {
        if (flight is null || flight.Landed) return;
        flight.Landed = true;
        _inAir--;
        while (_flights.TryPeek(out var first) && first.Landed) _flights.Dequeue();
    }

    internal void Sweep(long now)
    {
        while (_flights.TryPeek(out var first) && now - first.Departed >= Timing.FlightMost) Land(first);
    }
}
