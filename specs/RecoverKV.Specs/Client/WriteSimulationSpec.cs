using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

/// <summary>
/// R9 under everything that can happen to requests and answers: loss, delay, reordering, repeated answers, refusals,
/// changes of the sequencer, requests that a deposed sequencer took, and forgotten sessions. What the client says of
/// each write must be true in the end.
/// </summary>
public sealed class WriteSimulationSpec
{
    [Fact]
    public void What_the_client_says_of_a_write_is_true()
    {
        var ends = new Dictionary<string, int>();
        for (var seed = 0; seed < 1_000; seed++)
        {
            var run = new Run(seed);
            run.Play();
            foreach (var end in run.Ends) ends[end] = ends.GetValueOrDefault(end) + 1;
        }

        // The runs must have met each case often enough for the above to mean something.
        foreach (var end in new[] { "done", "not done", "unknown", "unknown but executed" })
            Assert.True(ends.GetValueOrDefault(end) > 100, $"{end}: {ends.GetValueOrDefault(end)}");
    }

    private sealed class Run
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly PipelineHarness _h;
        private readonly List<(string To, WriteRequest Request)> _requests = [];
        private readonly List<(string From, WriteAnswer Answer)> _answers = [];
        private readonly List<WriteRequest> _limbo = [];
        private readonly Dictionary<long, (Dictionary<long, WriteAnswer> Answers, long Low)> _sessions = [];
        private readonly Dictionary<string, int> _executed = [];
        private readonly Dictionary<string, Task<WriteResult>> _calls = [];
        private long _uid = 100;
        private long _epoch = 1;
        private string _sequencer = "a";

        internal Run(int seed)
        {
            _seed = seed;
            _random = new Random(seed);
            _h = new PipelineHarness(seed) { Patience = seed % 2 == 0 ? 3_000 : 10_000 };
            _h.Send = (to, message) => _requests.AddRange(((WriteBatch)message).Requests.Select(r => (to.Node, r)));
        }

        internal List<string> Ends { get; } = [];

        internal void Play()
        {
            var steps = 10 + _random.Next(200);
            for (var step = 0; step < steps; step++) Step();
            // Nothing is taken any more: every call must end by its deadline.
            var refusing = _random.Next(2) == 0;
            for (var end = _h.Now + _h.Patience + 300; _h.Now < end; _h.Pass(100))
            {
                foreach (var (to, request) in refusing ? _requests.ToList() : [])
                    _h.Answer(request.Session, request.Number, WriteStatus.Busy, 0, View(), to);
                _requests.Clear();
            }

            while (_limbo.Count > 0) Execute(Take(_limbo), "a");
            foreach (var (key, call) in _calls) Check(key, call);
        }

        private void Step()
        {
            switch (_random.Next(20))
            {
                case < 5:
                    var key = $"k{_calls.Count}";
                    _calls[key] = _h.Put(key);
                    break;
                case < 9 when _requests.Count > 0:
                    var (to, request) = Take(_requests);
                    if (_random.Next(10) > 0) Deliver(to, request);
                    break;
                case < 15 when _answers.Count > 0:
                    var index = _random.Next(_answers.Count);
                    var (from, answer) = _answers[index];
                    var repeats = answer.Status != WriteStatus.Busy && _random.Next(5) == 0;
                    if (!repeats) _answers.RemoveAt(index);
                    if (_random.Next(10) > 0)
                        _h.Answer(answer.Session, answer.Number, answer.Status, answer.Uid, View(), from);
                    break;
                case 15 when _limbo.Count > 0:
                    if (_random.Next(2) == 0) Execute(Take(_limbo), _sequencer);
                    else Take(_limbo);
                    break;
                case 16 when _random.Next(4) == 0:
                    _sequencer = _sequencer == "a" ? "b" : "a";
                    _epoch++;
                    if (_random.Next(2) == 0) _h.Map.Offer(View(), null);
                    break;
                case 17 when _sessions.Count > 0 && _random.Next(6) == 0:
                    _sessions.Remove(_sessions.Keys.ElementAt(_random.Next(_sessions.Count)));
                    break;
                case 18:
                    var node = _h.Map.Find(_random.Next(2) == 0 ? "a" : "b")!;
                    if (_random.Next(3) == 0) node.Lost();
                    else if (_h.Questions.Count > 0) _h.Reached(node.Node);
                    break;
                default:
                    _h.Pass(_random.Next(_random.Next(400) + 1));
                    break;
            }
        }

        private ClusterView View() => PipelineHarness.View(_epoch, _sequencer);

        private void Deliver(string to, WriteRequest request)
        {
            if (to != _sequencer || _random.Next(12) == 0)
            {
                // Perhaps it had been taken: then it may be executed later, or never.
                if (_random.Next(2) == 0) _limbo.Add(request);
                if (_random.Next(2) == 0) _answers.Add((to, Answer(request, WriteStatus.NotSequencer)));
            }
            else if (_random.Next(3) == 0)
            {
                _answers.Add((to, Answer(request, WriteStatus.Busy)));
            }
            else
            {
                Execute(request, to);
            }
        }

        private void Execute(WriteRequest request, string node) => _answers.Add((node, Execute(request)));

        private WriteAnswer Execute(WriteRequest request)
        {
            if (request.Session == 0)
            {
                _sessions[++_uid] = ([], 1);
                return Answer(request, WriteStatus.Done, _uid);
            }

            if (!_sessions.TryGetValue(request.Session, out var session))
                return Answer(request, WriteStatus.SessionUnknown);
            if (session.Answers.TryGetValue(request.Number, out var known)) return known;
            var key = request.Operations[0].Key.ToString();
            if (request.Number < session.Low)
            {
                Assert.True(_calls[key].IsCompleted, $"seed {_seed}: the low-water mark passed {key}, which is open.");
                return Answer(request, WriteStatus.Expired);
            }

            var low = Math.Max(session.Low, request.LowWater);
            foreach (var number in session.Answers.Keys.Where(n => n < low).ToList()) session.Answers.Remove(number);
            _executed[key] = _executed.GetValueOrDefault(key) + 1;
            _sessions[request.Session] = (session.Answers, low);
            return session.Answers[request.Number] = Answer(request, WriteStatus.Done, ++_uid);
        }

        private void Check(string key, Task<WriteResult> call)
        {
            var times = _executed.GetValueOrDefault(key);
            var says = call.Exception?.InnerException switch
            {
                null => "done",
                NotDoneException => "not done",
                OutcomeUnknownException => times == 0 ? "unknown" : "unknown but executed",
                var e => e.ToString(),
            };
            Ends.Add(says);
            var isTrue = call.IsCompleted && says switch
            {
                "done" => times == 1,
                "not done" => times == 0,
                _ => times <= 1,
            };
            Assert.True(isTrue, $"seed {_seed}: {key} is said to be {says} and was executed {times} times.");
        }

        private static WriteAnswer Answer(WriteRequest request, WriteStatus status, long uid = 0) =>
            new(request.Session, request.Number, status, uid, []);

        private T Take<T>(List<T> list)
        {
            var index = _random.Next(list.Count);
            var item = list[index];
            list.RemoveAt(index);
            return item;
        }
    }
}
