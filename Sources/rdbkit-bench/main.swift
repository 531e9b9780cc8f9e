import Glibc

/// Where the corpora are kept: out of the way of commits, and gone with the rest of what was built.
let defaultDirectory = ".build/bench"

let usage = """
    Usage: rdbkit-bench COMMAND [OPTION...]

    corpora       make the corpus files with a redis-server of its own
      --dir DIR             where they are kept (.build/bench)
      --scale F             a share of the full size (1)
      --only a,b            these corpora only, of a,b,c,d
    run           measure time and memory of rdbkit and its peers on the corpora, made first where missing
      --dir DIR, --only a,b
      --runs N              rounds (5)
      --commands json,...   these commands only, of json,keys,info,check
      --no-peers            rdbkit and redis-check-rdb only
      --rdbtools            rdbtools on all corpora it can read, not on the small one only
      --rdbtools-limit S    the seconds after which rdbtools is stopped (60)
      --strict              exit status 1 when a target is missed
    restore       get corpora a, b and c into a fresh redis-server by rdbkit, by redis-cli --pipe with prepared commands, and
                  by the server's own load
      --dir DIR, --only a,b
      --runs N              rounds (3)
    log           apply a log of 200 MB beside a redis-server that loads it, and check it beside redis-check-aof
      --dir DIR
      --runs N              rounds (3)
      --megabytes N         of the log (200)
      --strict              exit status 1 when a target is missed
    compare       verify two files that hold the same, against two runs of check
      --dir DIR
      --runs N              rounds (5)
      --strict              exit status 1 when the target is missed
    instructions  count instructions per input byte with callgrind and compare with the baseline
      --dir DIR
      --baseline FILE       (testdata/bench/baseline.json)
      --update-baseline     rewrite the baseline

    Environment: RDBKIT the program to measure (.build/release/rdbkit); RDB_CLI librdb's rdb-cli, when there is one;
    RDBTOOLS rdbtools' rdb (DIR/venv/bin/rdb).
    """

func main() throws(BenchError) -> CInt {
    let words = CommandLine.arguments.dropFirst()
    switch words.first {
    case "corpora":
        try CorporaCommand(words.dropFirst()).run()
        return 0
    case "run":
        return try RunCommand(words.dropFirst()).run()
    case "restore":
        return try RestoreCommand(words.dropFirst()).run()
    case "log":
        return try LogCommand(words.dropFirst()).run()
    case "compare":
        return try CompareCommand(words.dropFirst()).run()
    case "instructions":
        return try InstructionsCommand(words.dropFirst()).run()
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
