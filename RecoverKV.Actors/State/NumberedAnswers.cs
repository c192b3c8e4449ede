using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.State;

/// <summary>
/// R9: the answers that one session keeps, ascending by their numbers, which clients choose as they like. The memory is
/// that of the answers; to add one behind the others, and to take out the lowest, costs next to nothing, to add one
/// between others a move of those above it. Not thread-safe.
/// </summary>
internal sealed class NumberedAnswers
{
    private WriteAnswer[] _answers = [];
    private int _from;

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>The answer with the lowest number; there must be one.</summary>
    public WriteAnswer Lowest =>
        Count > 0 ? _answers[_from] : throw new InvalidOperationException("there is no answer");

    /// <summary>The answer with this number.</summary>
    public WriteAnswer? Find(long number) =>
        At(number) is var at && at < _from + Count && _answers[at].Number == number ? _answers[at] : null;

    /// <summary>All of them.</summary>
    public WriteAnswer[] ToArray() => _answers.AsSpan(_from, Count).ToArray();

    /// <summary>Adds an answer whose number is not there yet.</summary>
    public void Add(WriteAnswer answer)
    {
        if (_from + Count == _answers.Length) MakeRoom();
        var at = At(answer.Number);
        Array.Copy(_answers, at, _answers, at + 1, _from + Count - at);
        _answers[at] = answer;
        Count++;
    }

    /// <summary>Takes the answer with the lowest number out.</summary>
    public void RemoveLowest()
    {
        _answers[_from++] = null!;
        if (--Count == 0) _from = 0;
    }

    // The first place whose answer has this number or a higher one.
    private int At(long number)
    {
        int low = _from, high = _from + Count;
        // Most often it is the highest.
        if (Count > 0 && _answers[high - 1].Number < number) return high;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_answers[middle].Number < number) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    // To the begin again, in a larger or smaller array where that fits better.
    private void MakeRoom()
    {
        var size = Math.Max(4, 2 * Count);
        var room = size == _answers.Length ? _answers : new WriteAnswer[size];
        Array.Copy(_answers, _from, room, 0, Count);
        if (room == _answers) Array.Clear(room, Count, room.Length - Count);
        (_answers, _from) = (room, 0);
    }
}
