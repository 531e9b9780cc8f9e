import Glibc

/// `rdbkit-bench log`: how much processor time it takes to apply a log, beside the server that loads it, and to check it,
/// beside the server's own tool.
struct LogCommand {
    private let directory: String
    private let program: String
    private let rounds: Int
    private let isStrict: Bool
    private let byteCount: Int

    init(_ words: some Sequence<String>) throws(BenchError) {
        let arguments = try Arguments(words, valued: ["--dir", "--runs", "--megabytes"], flags: ["--strict"])
        directory = arguments.text("--dir", default: defaultDirectory)
        program = environmentValue("RDBKIT") ?? ".build/release/rdbkit"
        rounds = try arguments.count("--runs", default: 3)
        byteCount = try arguments.count("--megabytes", default: 200) * 1_000_000
        isStrict = arguments.has("--strict")
    }

    /// Returns the exit status: 1 when a target is missed and that was asked for.
    func run() throws(BenchError) -> CInt {
        try makeDirectories(directory)
        let path = "\(directory)/log.aof"
        try LogCorpus.make(at: path, byteCount: byteCount)
        var server: [Double] = []
        var tool: [Double] = []
        var applying: [Double] = []
        var digesting: [Double] = []
        var checking: [Double] = []
        for _ in 0..<rounds {
            server.append(try load(path))
            applying.append(try measure([program, "info", "--quiet", path]))
            digesting.append(try measure([program, "digest", "--quiet", "--threads", "1", path]))
            tool.append(try measure(["redis-check-aof", path]))
            checking.append(try measure([program, "aof", "check", path]))
        }
        print("### log: \(LogCorpus.summary), \(formatMegabytes(fileSize(path) ?? 0))\n")
        print("Processor seconds, medians of \(rounds) rounds; ratios within a round.\n")
        let toServer = ratio(applying, server)
        let toTool = ratio(checking, tool)
        let rate = Double(byteCount) / 1e6 / (median(checking) ?? 1)
        // A gigabyte a second, or five times the tool, whichever is less.
        let isFast = rate >= 1000 || toTool <= 0.2
        let rows = [
            ["program", "CPU s", "MB/s", "ratio", "target", "verdict"],
            row("redis-server, start to ready", server, nil, "", ""),
            row("rdbkit info", applying, toServer, "<= 1", toServer <= 1 ? "ok" : "MISS time"),
            row("rdbkit digest", digesting, ratio(digesting, server), "", ""),
            row("redis-check-aof", tool, nil, "", ""),
            row("rdbkit aof check", checking, toTool, ">= 1000 MB/s or <= 0.2", isFast ? "ok" : "MISS time"),
        ]
        print(MarkdownTable(rows).text)
        return isStrict && (toServer > 1 || !isFast) ? 1 : 0
    }

    private func row(
        _ name: String, _ seconds: [Double], _ ratio: Double?, _ target: String, _ verdict: String
    ) -> [String] {
        let middle = median(seconds) ?? 0
        return [
            name, format(middle, decimals: 3), format(Double(byteCount) / 1e6 / max(middle, 0.001), decimals: 0),
            ratio.map { format($0, decimals: 3) } ?? "", target, verdict,
        ]
    }

    private func ratio(_ ours: [Double], _ theirs: [Double]) -> Double {
        median(zip(ours, theirs).map { $0 / max($1, 0.001) }) ?? 0
    }

    private func load(_ path: String) throws(BenchError) -> Double {
        let server = try ScratchServer(in: directory, replaying: path)
        try server.waitUntilReady()
        return server.processorSeconds
    }

    private func measure(_ words: [String]) throws(BenchError) -> Double {
        let usage = try ChildProcess(words, output: "/dev/null").wait()
        guard usage.exitStatus == 0 else {
            throw .failed("\(words.joined(separator: " ")) ended with \(usage.exitStatus)")
        }
        return usage.processorSeconds
    }
}
