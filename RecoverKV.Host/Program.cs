using RecoverKV.Host;

AppDomain.CurrentDomain.UnhandledException += LastResort.Handle;
// .NET aborts when it finds no file for the threads that watch over the pool: it has them before files can be used up.
ThreadPool.UnsafeQueueUserWorkItem(_ => { }, null);
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
