import Glibc

/// `rdbkit-bench compare`: what `verify` of two files that hold the same takes, against two runs of `check`.
struct CompareCommand {
    /// Of the sum of two checks, in time and in processor time.
    private static let target = 1.3
    private static let corpora: [Corpus] = [.mixed, .tiny, .huge, .incompressible]

    private let directory: String
    private let program: String
    private let rounds: Int
    private let isStrict: Bool

    init(_ words: some Sequence<String>) throws(BenchError) {
        let arguments = try Arguments(words, valued: ["--dir", "--runs"], flags: ["--strict"])
        directory = arguments.text("--dir", default: defaultDirectory)
        program = environmentValue("RDBKIT") ?? ".build/release/rdbkit"
        rounds = try arguments.count("--runs", default: 5)
        isStrict = arguments.has("--strict")
    }

    /// Returns the exit status: 1 with `--strict`, when the target was missed.
    func run() throws(BenchError) -> CInt {
        guard access(program, X_OK) == 0 else {
            throw .missing("\(program) is not there; build it, or name the program in RDBKIT")
        }
        try CorpusMaker(directory: directory, scale: 1).make(Self.corpora)
        var rows = [
            [
                "corpus", "2 checks s", "verify s", "ratio", "2 checks CPU s", "verify CPU s", "CPU ratio", "target",
                "verdict",
            ]
        ]
        var misses = 0
        for corpus in Self.corpora {
            let path = corpus.path(in: directory)
            var checks: [ChildProcess.Usage] = []
            var verifies: [ChildProcess.Usage] = []
            // Interleaved, so that a drift of the machine hits all alike.
            for _ in 0..<rounds {
                let first = try use(["check", path])
                let second = try use(["check", path])
                var both = first
                both.wallSeconds += second.wallSeconds
                both.processorSeconds += second.processorSeconds
                checks.append(both)
                verifies.append(try use(["verify", path, path]))
            }
            let ratio = median(zip(verifies, checks).map { $0.wallSeconds / $1.wallSeconds }) ?? 0
            let processorRatio = median(zip(verifies, checks).map { $0.processorSeconds / $1.processorSeconds }) ?? 0
            let isMet = ratio <= Self.target && processorRatio <= Self.target
            if !isMet { misses += 1 }
            func seconds(_ values: [Double]) -> String { format(median(values) ?? 0, decimals: 2) }
            rows.append([
                corpus.rawValue, seconds(checks.map(\.wallSeconds)), seconds(verifies.map(\.wallSeconds)),
                format(ratio, decimals: 2), seconds(checks.map(\.processorSeconds)),
                seconds(verifies.map(\.processorSeconds)), format(processorRatio, decimals: 2),
                "<= \(format(Self.target, decimals: 2))", isMet ? "ok" : "MISS",
            ])
        }
        print("### verify of two files that hold the same, against two runs of check\n")
        print(MarkdownTable(rows).text)
        return misses > 0 && isStrict ? 1 : 0
    }

    private func use(_ words: [String]) throws(BenchError) -> ChildProcess.Usage {
        let usage = try ChildProcess([program] + words).wait()
        if usage.exitStatus != 0 { throw .failed("rdbkit \(words[0]) ended with status \(usage.exitStatus)") }
        return usage
    }
}
