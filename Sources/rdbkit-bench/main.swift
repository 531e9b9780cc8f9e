import Glibc

/// Where the corpora are kept: out of the way of commits, and gone with the rest of what was built.
let defaultDirectory = ".build/bench"

let usage = """
    Usage: rdbkit-bench COMMAND [OPTION...]

    corpora       make the corpus files with a redis-server of its own
      --dir DIR             where they are kept (.build/bench)
      --scale F             a share of the full size (1)
      --only a,b            these corpora only, of a,b,c,d
    """

func main() throws(BenchError) -> CInt {
    let words = CommandLine.arguments.dropFirst()
    switch words.first {
    case "corpora":
        try CorporaCommand(words.dropFirst()).run()
        return 0
    case "help", "--help", "-h":
        print(usage)
        return 0
    case let command:
        throw .usage(command.map { "unknown command: \($0)" } ?? "no command given; rdbkit-bench --help lists them")
    }
}

do {
    exit(try main())
} catch {
    note(error.message)
    exit(error.exitStatus)
}
