using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary><c>--set KEY=VALUE</c></summary>
internal static class SettingsOption
{
    public static Option<string[]> Create()
    {
        var option = new Option<string[]>("--set")
        {
            Description = "A setting that overrides the configuration, for example recoverkv.durability=os; "
                + "may be given several times.",
            HelpName = "KEY=VALUE",
        };
        option.Validators.Add(result =>
        {
            foreach (var setting in result.GetValueOrDefault<string[]>() ?? [])
            {
                try
                {
                    NodeConfig.ParseSetting(setting);
                }
                catch (UsageException e)
                {
                    result.AddError(e.Message);
                }
            }
        });
        return option;
    }
}
