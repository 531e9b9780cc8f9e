import Glibc

/// `rdbkit-bench run`: the time and memory table of every corpus.
struct RunCommand {
    private let arguments: Arguments
    private let directory: String
    private let program: String
    private let rounds: Int
    private let corpora: [Corpus]
    private let commands: [String]

    init(_ words: some Sequence<String>) throws(BenchError) {
        arguments = try Arguments(
            words, valued: ["--dir", "--runs", "--only", "--commands", "--rdbtools-limit"],
            flags: ["--no-peers", "--rdbtools", "--strict"])
        directory = arguments.text("--dir", default: defaultDirectory)
        program = environmentValue("RDBKIT") ?? ".build/release/rdbkit"
        rounds = try arguments.count("--runs", default: 5)
        let letters = try arguments.list("--only", from: Corpus.allCases.map(\.letter))
        corpora = Corpus.allCases.filter { letters.contains($0.letter) }
        commands = try arguments.list("--commands", from: Contender.commands)
    }

    /// Returns the exit status: 1 when a command of ours failed, or, with `--strict`, when a target was missed.
    func run() throws(BenchError) -> CInt {
        try CorpusMaker(directory: directory, scale: 1).make(corpora)
        let hasProgram = access(program, X_OK) == 0
        if !hasProgram {
            note("\(program) is not there; only the peers are measured (name the program in RDBKIT)")
        }
        print(try machineText())
        var misses = 0
        var verdicts = 0
        var hasFailure = false
        for corpus in corpora {
            let path = corpus.path(in: directory)
            let byteCount = fileSize(path) ?? 0
            let contenders = try self.contenders(for: corpus, hasProgram: hasProgram)
            let measurements = try Measurer(corpus: corpus, path: path, rounds: rounds).measure(contenders)
            let table = ResultTable(measurements, corpus: corpus, byteCount: byteCount)
            print("### \(corpus.rawValue): \(corpus.summary), \(formatMegabytes(byteCount))\n")
            print(table.markdown)
            fflush(nil)
            misses += table.missCount
            verdicts += table.verdictCount
            hasFailure = hasFailure || table.hasFailure
        }
        if verdicts > 0 {
            print("Targets met: \(verdicts - misses) of \(verdicts).")
        }
        return hasFailure || misses > 0 && arguments.has("--strict") ? 1 : 0
    }

    /// The reference is always among them: without it there are no ratios.
    private func contenders(for corpus: Corpus, hasProgram: Bool) throws(BenchError) -> [Contender] {
        var contenders = hasProgram ? commands.map { Contender.ours($0, program: program) } : []
        contenders.append(.reference)
        if arguments.has("--no-peers") { return contenders }
        if let librdb = environmentValue("RDB_CLI") {
            contenders.append(.librdb(program: librdb))
        }
        let rdbtools = environmentValue("RDBTOOLS") ?? "\(directory)/venv/bin/rdb"
        // Minutes long on (d), so only when asked for.
        let wantsRDBTools = corpus == .tiny || arguments.has("--rdbtools")
        if wantsRDBTools, RelabelledDump.isPossible(for: corpus), access(rdbtools, X_OK) == 0 {
            let limit = try arguments.number("--rdbtools-limit", default: 60)
            contenders.append(.rdbtools(program: rdbtools, limitSeconds: limit))
        }
        contenders.append(.cat)
        return contenders
    }

    private func machineText() throws(BenchError) -> String {
        let cores = sysconf(CInt(_SC_NPROCESSORS_ONLN))
        let model =
            readText("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":").last } ?? " unknown processor"
        let load = readText("/proc/loadavg")?.split(separator: " ").first ?? "unknown"
        let floor = try ChildProcess(["true"]).wait().peakBytes
        return """
            Machine: \(cores) cores,\(model); load \(load) at the start. rounds: \(rounds), interleaved. \
            `ratio` is to redis-check-rdb on the same file, the median of the rounds' ratios. \
            `CPU s` is user and system time. A peer slower than \(format(Measurer.slowSeconds, decimals: 0)) s runs once. \
            Peaks below \(format(Double(floor) / 1_048_576, decimals: 1)) MiB \
            cannot be told apart.

            """
    }
}
