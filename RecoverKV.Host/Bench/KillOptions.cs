using System.CommandLine;

namespace RecoverKV.Host.Bench;

/// <summary>The options that have a node killed under the load.</summary>
internal sealed class KillOptions
{
    private readonly Option<string?> _kill = new("--kill")
    {
        Description = "Kill a node as by kill -9 after a quarter of the puts: the sequencer (the default) or a "
            + "replica that is not. It is started again at once.",
        HelpName = "sequencer|replica",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _stayDown = new("--stay-down")
    {
        Description = "With --kill: the node is not started again.",
    };

    public KillOptions() => _kill.AcceptOnlyFromAmong("sequencer", "replica");

    /// <summary>For the command that takes them.</summary>
    public IEnumerable<Option> All => [_kill, _stayDown];

    /// <summary>Reads them; null if nobody is to be killed.</summary>
    /// <exception cref="UsageException">They contradict each other.</exception>
    public KillPlan? Read(ParseResult parsed)
    {
        var stayDown = parsed.GetValue(_stayDown);
        if (parsed.GetResult(_kill) is not null) return new KillPlan(parsed.GetValue(_kill) != "replica", stayDown);
        return stayDown ? throw new UsageException("--stay-down: only with --kill") : null;
    }
}
