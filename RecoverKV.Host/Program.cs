using RecoverKV.Host;

return await Cli.RunAsync(args, Terminal.Standard());
