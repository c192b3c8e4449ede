using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace RecoverKV.Host.Loading;

/// <summary>The progress bar of a load, on the terminal's standard error: share, rate, time left. Of an input of
/// unknown length it shows the count and the rate.</summary>
internal static class LoadProgress
{
    /// <summary>Shows the bar while <paramref name="work"/> runs.</summary>
    /// <param name="terminal">Shows nothing unless its standard error is a terminal.</param>
    /// <param name="total">Length of the input in bytes, if known.</param>
    /// <param name="position">How many of them are taken.</param>
    /// <param name="count">How many records are stored.</param>
    /// <param name="work">The load.</param>
    public static async Task<T> ShowAsync<T>(
        Terminal terminal, long? total, Func<long> position, Func<long> count, Func<Task<T>> work)
    {
        if (!terminal.ErrorIsTerminal) return await work();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal.Error) });
        var clock = Stopwatch.StartNew();
        ProgressColumn[] columns = total is null
            ? [new SpinnerColumn(), new RateColumn(count, clock), new ElapsedTimeColumn()]
            :
            [
                new ProgressBarColumn(), new PercentageColumn(), new RateColumn(count, clock),
                new RemainingTimeColumn(),
            ];
        return await console.Progress().AutoClear(true).Columns(columns).StartAsync(async context =>
        {
            var task = context.AddTask("load", maxValue: total ?? double.MaxValue);
            var running = work();
            while (await Task.WhenAny(running, Task.Delay(200)) != running) task.Value = position();
            return await running;
        });
    }

    private sealed class RateColumn(Func<long> count, Stopwatch clock) : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            var records = count();
            var rate = records / Math.Max(clock.Elapsed.TotalSeconds, 0.001);
            return new Text(string.Create(CultureInfo.InvariantCulture, $"{records:N0} keys, {rate:N0}/s"));
        }
    }
}
