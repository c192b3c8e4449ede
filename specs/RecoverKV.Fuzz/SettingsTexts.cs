namespace RecoverKV.Fuzz;

/// <summary>Settings to begin with.</summary>
internal static class SettingsTexts
{
    public static readonly IReadOnlyList<string> All =
    [
        """
        recoverkv {
          node = node1
          members = ["node1@127.0.0.1:4051", "node2@127.0.0.1:4052", "node3@127.0.0.1:4053"]
          data = "./data/node1"
        }
        """,
        """
        # one node
        recoverkv.node = "a"
        recoverkv.members = ["a@localhost:4051"]
        recoverkv.data = /tmp/never-made
        recoverkv.lease = 1500ms
        recoverkv.frame-size = 4MiB
        recoverkv.limits { key = 1KiB
          value = 1 MiB }
        recoverkv.chaos = off
        akka.loglevel = INFO
        """,
    ];

    public static readonly IReadOnlyList<string> Words =
    [
        "{", "}", "[", "]", "=", ":", "+=", ",", "\"", "\"\"\"", "#", "//", "\\", "\n", " ", ".", "null", "include ",
        "akka", "${", "${recoverkv.data}", "${?a}", "recoverkv", "recoverkv.lease", "1e999", "-1",
        "9999999999999999999", "99999d", "MiB", "ms", "\0", "\ud7ff", "a.b.c.d",
    ];
}
