import Glibc

/// `rdbkit-bench restore`: how long it takes to get each corpus into a fresh server, by rdbkit and by other ways.
///
/// Every way has a `redis-server` of its own that was just started; the time of starting it is not counted, except for
/// the server that loads the file itself, where it is the thing measured.
struct RestoreCommand {
    /// A way into the server.
    enum Way: Equatable {
        /// The server finds the file at its start.
        case ownLoad
        /// `redis-cli --pipe` fed with ready-made commands.
        case pipe(form: String)
        case rdbkit(name: String, options: [String])

        var name: String {
            switch self {
            case .ownLoad: "the server's own load"
            case .pipe(let form): "redis-cli --pipe, \(form)"
            case .rdbkit(let name, _): name
            }
        }

        static let all: [Way] = [
            .ownLoad, .pipe(form: "commands"), .pipe(form: "restore"),
            .rdbkit(name: "rdbkit restore", options: []),
            // The same form as prepared RESTOREs, which are as large as the values.
            .rdbkit(name: "rdbkit restore --big-value 1GB", options: ["--big-value", "1GB"]),
            .rdbkit(name: "rdbkit restore --as replication", options: replication),
        ]
    }

    private static let replication = ["--as", "replication"]

    struct Run {
        var seconds: Double
        var clientSeconds: Double
        var serverSeconds: Double
        var clientPeakBytes: Int
    }

    private let directory: String
    private let program: String
    private let rounds: Int
    private let corpora: [Corpus]

    init(_ words: some Sequence<String>) throws(BenchError) {
        let arguments = try Arguments(words, valued: ["--dir", "--runs", "--only"])
        directory = arguments.text("--dir", default: defaultDirectory)
        program = environmentValue("RDBKIT") ?? ".build/release/rdbkit"
        rounds = try arguments.count("--runs", default: 3)
        let known: [Corpus] = [.mixed, .tiny, .huge]
        let letters = try arguments.list("--only", from: known.map(\.letter))
        corpora = known.filter { letters.contains($0.letter) }
    }

    /// Returns the exit status: 1 when a way failed.
    func run() throws(BenchError) -> CInt {
        try CorpusMaker(directory: directory, scale: 1).make(corpora)
        print(
            "Into a fresh redis-server on a unix socket, \(rounds) rounds, interleaved; medians. Ratios are of wall time "
                + "within a round.\n")
        for corpus in corpora {
            let file = corpus.path(in: directory)
            let prepared = try prepare(corpus, file)
            defer { for path in prepared.values { unlink(path) } }
            var runs: [[Run]] = Array(repeating: [], count: Way.all.count)
            for _ in 0..<rounds {
                for (index, way) in Way.all.enumerated() {
                    runs[index].append(try run(way, file: file, prepared: prepared))
                }
            }
            print("### \(corpus.rawValue): \(corpus.summary), \(formatMegabytes(fileSize(file) ?? 0))\n")
            print(table(runs))
            fflush(nil)
        }
        return 0
    }

    /// The commands that `redis-cli --pipe` is fed with, by form.
    private func prepare(_ corpus: Corpus, _ file: String) throws(BenchError) -> [String: String] {
        var paths: [String: String] = [:]
        for form in ["commands", "restore"] {
            let path = "\(directory)/\(corpus.rawValue).\(form).resp"
            paths[form] = path
            let usage = try ChildProcess(
                [program, "resp", file, "--as", form, "--target", "redis-7.0", "--quiet"], output: path
            ).wait()
            guard usage.exitStatus == 0 else {
                throw .failed("rdbkit resp --as \(form) ended with \(usage.exitStatus)")
            }
        }
        return paths
    }

    private func run(_ way: Way, file: String, prepared: [String: String]) throws(BenchError) -> Run {
        if way == .ownLoad {
            let start = ContinuousClock.now
            let server = try ScratchServer(in: directory, loading: file)
            try server.waitUntilReady()
            let seconds = start.duration(to: .now) / .seconds(1)
            return Run(seconds: seconds, clientSeconds: 0, serverSeconds: server.processorSeconds, clientPeakBytes: 0)
        }
        let server = try ScratchServer(in: directory)
        try server.waitUntilReady()
        let before = server.processorSeconds
        let errors = file + ".errors"
        defer { unlink(errors) }
        let child: ChildProcess
        switch way {
        case .pipe(let form):
            child = try ChildProcess(
                ["redis-cli", "-s", server.socketPath, "--pipe"], input: prepared[form] ?? "/dev/null", errors: errors)
        case .rdbkit(_, let options):
            let path = server.socketPath.hasPrefix("/") ? server.socketPath : "\(currentFolder())/\(server.socketPath)"
            child = try ChildProcess(
                [program, "restore", file, "unix://\(path)", "--quiet"] + options, errors: errors)
        case .ownLoad: throw .failed("not a client")
        }
        let usage = try child.wait()
        guard usage.exitStatus == 0 else {
            throw .failed("\(way.name): exit status \(usage.exitStatus): \(readText(errors)?.suffix(300) ?? "")")
        }
        return Run(
            seconds: usage.wallSeconds, clientSeconds: usage.processorSeconds,
            serverSeconds: server.processorSeconds - before, clientPeakBytes: usage.peakBytes)
    }

    private func table(_ runs: [[Run]]) -> String {
        var rows = [
            [
                "way", "wall s", "client CPU s", "server CPU s", "to own load", "to --pipe", "peak MiB", "target",
                "verdict",
            ]
        ]
        // The faster of the two.
        let pipes = (0..<rounds).map { round in min(runs[1][round].seconds, runs[2][round].seconds) }
        for (index, way) in Way.all.enumerated() {
            let toLoad = median((0..<rounds).map { runs[index][$0].seconds / runs[0][$0].seconds }) ?? 0
            let toPipe = median((0..<rounds).map { runs[index][$0].seconds / pipes[$0] }) ?? 0
            let peak = runs[index].map(\.clientPeakBytes).max() ?? 0
            rows.append([
                way.name, format(median(runs[index].map(\.seconds)) ?? 0, decimals: 2),
                format(median(runs[index].map(\.clientSeconds)) ?? 0, decimals: 2),
                format(median(runs[index].map(\.serverSeconds)) ?? 0, decimals: 2), format(toLoad, decimals: 2),
                format(toPipe, decimals: 2), index == 0 ? "" : format(Double(peak) / 1_048_576, decimals: 1),
                target(way),
                verdict(way, runs[index], runs[0], toLoad: toLoad, toPipe: toPipe, peak: peak),
            ])
        }
        return MarkdownTable(rows).text
    }

    private func target(_ way: Way) -> String {
        guard case .rdbkit(_, let options) = way else { return "" }
        return options != Self.replication
            ? "--pipe <= 1, own load <= 2, < 128 MiB" : "own load <= 1.15 + 1 s, < 128 MiB"
    }

    /// At least as fast as prepared commands, at most twice as long as the server's own load; by replication at most 1.15
    /// times as long and a second; less than 128 MiB.
    private func verdict(_ way: Way, _ runs: [Run], _ own: [Run], toLoad: Double, toPipe: Double, peak: Int) -> String {
        guard case .rdbkit(_, let options) = way else { return "" }
        var misses: [String] = []
        if options != Self.replication {
            if toPipe > 1 { misses.append("--pipe") }
            if toLoad > 2 { misses.append("own load") }
        } else {
            let excess = median(zip(runs, own).map { $0.seconds - 1.15 * $1.seconds }) ?? 0
            if excess > 1 { misses.append("own load") }
        }
        if peak >= 128 << 20 { misses.append("memory") }
        return misses.isEmpty ? "ok" : "MISS " + misses.joined(separator: ", ")
    }

    private func currentFolder() -> String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }
}
