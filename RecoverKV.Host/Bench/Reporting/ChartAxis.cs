using System.Globalization;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>A labelled place of an axis.</summary>
internal readonly record struct Tick(double Value, string Label);

/// <summary>An axis of a chart: where a value lies between its ends, as a number from 0 to 1.</summary>
internal abstract record ChartAxis
{
    /// <summary>Where a value lies.</summary>
    public abstract double Place(double value);

    /// <summary>The places with a label.</summary>
    public abstract IEnumerable<Tick> Ticks { get; }

    /// <summary>From 0 on.</summary>
    public sealed record Linear : ChartAxis
    {
        private readonly string _unit;
        private readonly double _step;
        private readonly double _end;

        /// <summary>Up to <paramref name="most"/> at least.</summary>
        public Linear(string unit, double most)
        {
            _unit = unit;
            var rough = Math.Max(most, 1e-6) / 5;
            var decade = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            _step = new[] { 1, 2, 5, 10 }.First(s => s * decade >= rough) * decade;
            _end = Math.Ceiling(Math.Max(most, 1e-6) / _step) * _step;
        }

        /// <inheritdoc/>
        public override double Place(double value) => Math.Clamp(value / _end, 0, 1);

        /// <inheritdoc/>
        public override IEnumerable<Tick> Ticks => Enumerable.Range(0, (int)Math.Round(_end / _step) + 1)
            .Select(i => new Tick(i * _step, Label(i * _step)));

        private string Label(double value)
        {
            var text = _step >= 1000
                ? string.Create(CultureInfo.InvariantCulture, $"{value / 1000:0.##}k")
                : string.Create(CultureInfo.InvariantCulture, $"{value:0.######}");
            return _unit.Length > 0 ? $"{text} {_unit}" : text;
        }
    }

    /// <summary>Powers of ten: whole decades around these values.</summary>
    public sealed record Logarithmic(double Least, double Most) : ChartAxis
    {
        private int Low => (int)Math.Floor(Math.Log10(Least));

        private int High => Math.Max((int)Math.Ceiling(Math.Log10(Most)), Low + 1);

        /// <inheritdoc/>
        public override double Place(double value) => Math.Clamp((Math.Log10(value) - Low) / (High - Low), 0, 1);

        /// <inheritdoc/>
        public override IEnumerable<Tick> Ticks => Enumerable.Range(Low, High - Low + 1)
            .Select(d => new Tick(Math.Pow(10, d), Math.Pow(10, d).ToString("0.######", CultureInfo.InvariantCulture)));
    }

    /// <summary>Percentiles, each nine as wide as the one before: a value is 1 / (1 - share).</summary>
    public sealed record Percentile(double Most) : ChartAxis
    {
        private double Decades => Math.Max(Math.Log10(Most), 1);

        /// <inheritdoc/>
        public override double Place(double value) => Math.Clamp(Math.Log10(value) / Decades, 0, 1);

        /// <inheritdoc/>
        public override IEnumerable<Tick> Ticks => Enumerable.Range(1, (int)(Decades + 1e-9))
            .Select(d => new Tick(Math.Pow(10, d), Label(Math.Pow(10, d)))).Prepend(new Tick(2, "p50"));

        private static string Label(double value) =>
            string.Create(CultureInfo.InvariantCulture, $"p{100 * (1 - 1 / value):0.######}");
    }
}
