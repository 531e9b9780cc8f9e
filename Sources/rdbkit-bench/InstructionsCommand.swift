import Glibc

/// `rdbkit-bench instructions`: instructions per input byte on small corpora, compared with a kept baseline.
///
/// Counted by callgrind, so the same on a busy machine as on an idle one; what differs a little from run to run is the
/// order in which the server wrote the keys. What a command spends on an empty file is told apart and subtracted: on
/// corpora this small the dynamic loader would hide the decoder.
struct InstructionsCommand {
    /// The share of a corpus that is counted.
    private static let scale = 0.01
    private static let corpora: [Corpus] = [.mixed, .tiny]
    /// How much more than the baseline is let pass.
    private static let tolerance = 0.03

    private let directory: String
    private let baselinePath: String
    private let program: String
    private let updatesBaseline: Bool

    init(_ words: some Sequence<String>) throws(BenchError) {
        let arguments = try Arguments(words, valued: ["--dir", "--baseline"], flags: ["--update-baseline"])
        directory = arguments.text("--dir", default: defaultDirectory) + "/small"
        baselinePath = arguments.text("--baseline", default: "testdata/bench/baseline.json")
        program = environmentValue("RDBKIT") ?? ".build/release/rdbkit"
        updatesBaseline = arguments.has("--update-baseline")
    }

    /// Returns the exit status: 1 when a count is beyond the baseline.
    func run() throws(BenchError) -> CInt {
        guard isInPath("valgrind") else {
            note("valgrind is not installed; no instructions are counted")
            return 0
        }
        guard access(program, X_OK) == 0 else {
            throw .missing("\(program) is not there; build it, or name the program in RDBKIT")
        }
        try CorpusMaker(directory: directory, scale: Self.scale).make(Self.corpora)
        let stripped = try strippedCopy()
        defer { unlink(stripped) }
        let baseline = try Baseline(readFrom: baselinePath)
        var startUp: [String: Counts] = [:]
        for command in Contender.commands {
            startUp[command] = try count([stripped, command, "--threads", "1", try emptyDump()])
        }
        var counted = Baseline()
        var beyond = 0
        print("| case | instructions/byte | mispredictions/KB | baseline | change |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for corpus in Self.corpora {
            let path = corpus.path(in: directory)
            let byteCount = Double(fileSize(path) ?? 1)
            for command in Contender.commands {
                let counts = try count([stripped, command, "--threads", "1", path]) - startUp[command]!
                let name = "\(corpus.rawValue) \(command)"
                let perByte = counts.instructions / byteCount
                counted.values.append((name, perByte))
                var row = "| \(name) | \(format(perByte, decimals: 3)) "
                row += "| \(format(counts.mispredictions / byteCount * 1000, decimals: 2)) | "
                if let before = baseline.value(name) {
                    let change = perByte / before - 1
                    row += "\(format(before, decimals: 3)) | \(format(change * 100, decimals: 1)) %"
                    if change > Self.tolerance {
                        beyond += 1
                        row += " MISS"
                    }
                } else {
                    row += "|"
                }
                print(row + " |")
                fflush(nil)
            }
        }
        let startUpText = Contender.commands.map {
            "\($0) \(format(startUp[$0]!.instructions / 1e6, decimals: 2))"
        }
        print("\nNot in these, million instructions on an empty file: \(startUpText.joined(separator: ", ")).")
        if updatesBaseline {
            try counted.write(to: baselinePath)
            note("wrote \(baselinePath)")
            return 0
        }
        if beyond > 0 {
            note("\(beyond) counts are more than 3 % beyond \(baselinePath)")
        }
        return beyond > 0 ? 1 : 0
    }

    /// A copy of the program without debug data: valgrind 3.19 cannot read Swift 6.3's.
    private func strippedCopy() throws(BenchError) -> String {
        let copy = directory + "/rdbkit-stripped"
        let status = try ChildProcess(["strip", "-g", "-o", copy, program]).wait().exitStatus
        guard status == 0 else { throw .failed("strip -g failed on \(program)") }
        return copy
    }

    /// A file with nothing but a header and an end, its checksum zero, which stands for "none".
    private func emptyDump() throws(BenchError) -> String {
        let path = directory + "/empty.rdb"
        try writeBytes(Array("REDIS0010".utf8) + [0xff, 0, 0, 0, 0, 0, 0, 0, 0], to: path)
        return path
    }

    private struct Counts {
        var instructions: Double
        var mispredictions: Double

        static func - (left: Counts, right: Counts) -> Counts {
            Counts(
                instructions: left.instructions - right.instructions,
                mispredictions: left.mispredictions - right.mispredictions)
        }
    }

    private func count(_ command: [String]) throws(BenchError) -> Counts {
        let profile = directory + "/callgrind.out"
        let errors = directory + "/callgrind.errors"
        defer {
            unlink(profile)
            unlink(errors)
        }
        let arguments =
            ["valgrind", "--tool=callgrind", "--branch-sim=yes", "--callgrind-out-file=\(profile)"] + command
        let usage = try ChildProcess(arguments, errors: errors).wait()
        guard usage.exitStatus == 0 else {
            throw .failed("\(arguments.joined(separator: " ")): \(readText(errors)?.suffix(500) ?? "failed")")
        }
        // The file's head names the events, "events: Ir Bc Bcm Bi Bim", its tail has their sums, "totals: ...".
        var events: [Substring] = []
        var totals: [Substring] = []
        for line in (readText(profile) ?? "").split(separator: "\n") {
            if line.hasPrefix("events: ") { events = Array(line.split(separator: " ").dropFirst()) }
            if line.hasPrefix("totals: ") { totals = Array(line.split(separator: " ").dropFirst()) }
        }
        let sums = Dictionary(zip(events, totals.compactMap { Double($0) })) { first, _ in first }
        guard let instructions = sums["Ir"] else { throw .failed("no totals in \(profile)") }
        return Counts(instructions: instructions, mispredictions: (sums["Bcm"] ?? 0) + (sums["Bim"] ?? 0))
    }

    private func isInPath(_ name: String) -> Bool {
        (environmentValue("PATH") ?? "").split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
    }
}
