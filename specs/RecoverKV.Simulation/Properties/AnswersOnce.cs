using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>
/// R9: a request is executed at most once, wherever and however often it is sent; all its answers are the same, and
/// are those of the committed log. An acknowledged write stands above all that was answered before it was sent.
/// </summary>
internal sealed class AnswersOnce(SimulatedCluster cluster, AnsweredUids answered) : Property(cluster)
{
    protected override string Name => "A request takes effect at most once";

    public override void OnWriteAnswer(SimulatedNode node, Attempt attempt, WriteAnswer answer)
    {
        var request = attempt.Request!;
        Hold(answer.Session == request.Session && answer.Number == request.Number,
            $"{node.Id} answers s{answer.Session}#{answer.Number} to s{request.Session}#{request.Number}");
        switch (answer.Status)
        {
            case WriteStatus.Done or WriteStatus.ConditionFailed:
                Compare(node, attempt, answer);
                answered.Raise(answer.Uid);
                break;
            case WriteStatus.SessionUnknown:
                Hold(Cluster.Committed.IsUnknown(request.Session),
                    $"{node.Id} does not know session {request.Session}, which was opened and not evicted");
                break;
            case WriteStatus.Expired:
                Hold(Cluster.Committed.HasExpired(request.Session, request.Number),
                    $"{node.Id} lets s{request.Session}#{request.Number} expire, which the log does not");
                break;
            case WriteStatus.Invalid:
                throw Broken($"{node.Id} finds a good request invalid: {answer.Text}");
        }
    }

    public override void AtEnd()
    {
        foreach (var operation in Cluster.Clients.SelectMany(c => c.History))
        {
            // The library may give a write another number, in another session, if none of its copies can take effect.
            var results = operation.Names
                .Select(n => Cluster.Committed.ResultOf(n.Session, n.Number)).OfType<CommittedLog.Result>().ToList();
            Hold(results.Count <= 1,
                $"{Words.Of(operation.Request!)} took effect as each of {string.Join(' ', operation.Names)}");
            Hold(operation.Uid == 0 || results.Any(r => r.Uid == operation.Uid),
                $"{Words.Of(operation.Request!)} is said to be uid {operation.Uid}, which is another write");
            Hold(results.Count == 0 || !operation.WasNotDone,
                $"{Words.Of(operation.Request!)} is said not to be done, and is");
        }
    }

    private void Compare(SimulatedNode node, Attempt attempt, WriteAnswer answer)
    {
        var request = attempt.Request!;
        var words = $"{node.Id} answers {Words.Of(answer)}";
        Hold(answer.Uid >= 1 && answer.Uid <= Cluster.Committed.Top, $"{words}, which nobody committed");
        Hold(answer.Uid > attempt.Operation.Floor,
            $"{words}, but uid {attempt.Operation.Floor} had been answered before it was sent");
        if (request.Session == 0)
        {
            var opening = Cluster.Committed.At(answer.Uid).Request;
            Hold(opening.Session == 0 && opening.Number == request.Number, $"{words}, which opens another session");
            return;
        }

        var result = Cluster.Committed.ResultOf(request.Session, request.Number);
        if (result is null) throw Broken($"{words}, but the log does not execute it");
        Hold(!answer.PreviousOmitted || request.ReturnPrevious && !result.IsPreviousKept,
            $"{words} without the versions before it, which are kept");
        var previous = answer.Previous.Select(v => v is null ? (0, 0) : (v.Uid, Values.Id(v.Value)));
        var expected = request.ReturnPrevious && !answer.PreviousOmitted ? result.Previous : [];
        Hold(result.Uid == answer.Uid && result.Status == answer.Status && previous.SequenceEqual(expected),
            $"{words}, but the log says {result.Status} uid {result.Uid} was {string.Join(' ', result.Previous)}");
    }
}
