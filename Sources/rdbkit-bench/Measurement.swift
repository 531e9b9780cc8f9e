import Glibc

/// All runs of one contender on one corpus.
struct Measurement {
    let contender: Contender
    /// One for each round; of a slow peer the first only.
    var usages: [ChildProcess.Usage] = []
    /// Why it was not, or not wholly, measured.
    var failure: String?

    var bestSeconds: Double? { usages.map(\.wallSeconds).min() }
    var medianSeconds: Double? { median(usages.map(\.wallSeconds)) }
    var medianProcessorSeconds: Double? { median(usages.map(\.processorSeconds)) }
    var peakBytes: Int? { usages.map(\.peakBytes).max() }
    var timedOut: Bool { usages.contains(where: \.timedOut) }

    /// The median of the rounds' ratios: what slows the machine for a while slows both parts of a ratio.
    func ratio(to reference: Measurement) -> Double? {
        median(zip(usages, reference.usages).map { $0.wallSeconds / $1.wallSeconds })
    }
}

/// The middle value, or the mean of the middle two; nil of nothing.
func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// Runs contenders on one corpus, round by round (A B C, A B C, ...), so that a drift of the machine hits all alike.
struct Measurer {
    let corpus: Corpus
    let path: String
    let rounds: Int

    /// A peer that took longer than this is not run again: its ratio is plain enough.
    static let slowSeconds = 10.0

    func measure(_ contenders: [Contender]) throws(BenchError) -> [Measurement] {
        // One pass that is not counted: everybody reads from the page cache.
        _ = try ChildProcess(Contender.cat.arguments(for: path)).wait()
        var measurements = contenders.map { Measurement(contender: $0) }
        for round in 0..<rounds {
            for index in measurements.indices where measurements[index].failure == nil {
                let isPeer = measurements[index].contender.role == .peer
                let isSlow = (measurements[index].usages.last?.wallSeconds ?? 0) > Self.slowSeconds
                if round == 0 || !(isPeer && isSlow) {
                    try run(&measurements[index])
                }
            }
        }
        return measurements
    }

    private func run(_ measurement: inout Measurement) throws(BenchError) {
        let contender = measurement.contender
        let errors = path + ".errors"
        defer { unlink(errors) }
        let usage: ChildProcess.Usage
        if contender.needsOldVersion {
            let copy = try RelabelledDump.make(of: path)
            defer { unlink(copy) }
            usage = try run(contender, on: copy, errors: errors)
        } else {
            usage = try run(contender, on: path, errors: errors)
        }
        if usage.exitStatus != 0 && !usage.timedOut {
            let line = readText(errors)?.split(separator: "\n").last.map { ": " + $0 } ?? ""
            measurement.failure = "failed, exit status \(usage.exitStatus)\(line)"
            note("\(contender.name) on \(corpus.rawValue) \(measurement.failure!)")
        } else {
            measurement.usages.append(usage)
        }
    }

    private func run(
        _ contender: Contender, on path: String, errors: String
    ) throws(BenchError) -> ChildProcess.Usage {
        try ChildProcess(contender.arguments(for: path), errors: errors).wait(limitSeconds: contender.limitSeconds)
    }
}
