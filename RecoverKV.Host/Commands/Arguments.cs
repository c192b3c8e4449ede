using System.CommandLine;
using System.Globalization;

namespace RecoverKV.Host.Commands;

/// <summary>Arguments and options that several commands take.</summary>
internal static class Arguments
{
    /// <summary>A key.</summary>
    public static Argument<string> Key()
    {
        var argument = new Argument<string>("KEY")
        {
            Description = "The key; one that starts with - needs a -- before it.",
        };
        argument.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is "") result.AddError("a key is never empty");
        });
        return argument;
    }

    /// <summary>A node id.</summary>
    public static Argument<string> Node() =>
        NeverEmpty(new Argument<string>("NODE") { Description = "The node's id, as `status` shows it." });

    /// <summary>An argument that names something.</summary>
    public static Argument<T> NeverEmpty<T>(Argument<T> argument)
    {
        argument.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }]) result.AddError($"{argument.Name}: the empty text names nothing");
        });
        return argument;
    }

    /// <summary>An option that names something.</summary>
    public static Option<T> NeverEmpty<T>(Option<T> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }]) result.AddError($"{option.Name}: the empty text names nothing");
        });
        return option;
    }

    /// <summary>Whether reads may be old.</summary>
    public static Option<bool> Stale() => new("--stale")
    {
        Description = "Take what a node has, however old: answered without a lease, even by a cut-off node.",
    };

    /// <summary>A whole number within bounds.</summary>
    public static Option<int> Number(string name, int defaultValue, int min, int max, string description)
    {
        var option = Parsed<int>(name, description, "N", $"a whole number from {min} to {max}",
            text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                && number >= min && number <= max
                    ? number
                    : null);
        option.DefaultValueFactory = _ => defaultValue;
        return option;
    }

    /// <summary>A number of seconds, a thousandth at least.</summary>
    public static Option<double> Seconds(string name, double defaultValue, string description)
    {
        const double day = 86_400;
        var option = Parsed<double>(name, description, "SECONDS", "a number of seconds from 0.001 to 86400 (a day)",
            text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && number is >= 0.001 and <= day
                    ? number
                    : null);
        option.DefaultValueFactory = _ => defaultValue;
        return option;
    }

    /// <summary>A number within bounds, not necessarily a whole one.</summary>
    public static Option<double> Real(
        string name, double defaultValue, double min, double max, string helpName, string description)
    {
        var option = Parsed<double>(name, description, helpName,
            string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}"),
            text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && number >= min && number <= max
                    ? number
                    : null);
        option.DefaultValueFactory = _ => defaultValue;
        return option;
    }

    /// <summary>The uid of a version.</summary>
    public static Option<long> Uid(string name, string description) =>
        Parsed<long>(name, description, "N", "a uid, 1 or more,",
            text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var uid) && uid > 0
                ? uid
                : null);

    /// <summary>How many at most.</summary>
    public static Option<long> Limit(string description)
    {
        var option = Parsed<long>("--limit", description, "N", "a whole number, 0 or more,",
            text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null);
        option.DefaultValueFactory = _ => long.MaxValue;
        return option;
    }

    private static Option<T> Parsed<T>(
        string name, string description, string helpName, string wanted, Func<string, T?> parse)
        where T : struct => new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result =>
            {
                var text = result.Tokens is [var token] ? token.Value : "";
                if (parse(text) is { } value) return value;
                result.AddError($"{name}: {wanted} is wanted, not \"{text}\"");
                return default;
            },
        };
}
