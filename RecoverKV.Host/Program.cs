using RecoverKV.Host;

AppDomain.CurrentDomain.UnhandledException += LastResort.Handle;
try
{
    var terminal = Terminal.Standard();
    RawArguments.Check(args);
    return await Cli.RunAsync(args, terminal);
}
catch (Exception failure)
{
    return LastResort.End(failure);
}
