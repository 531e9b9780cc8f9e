/// The measurements of one corpus as a table.
struct ResultTable {
    private(set) var rows: [[String]] = [
        ["program", "best s", "median s", "CPU s", "MB/s", "ratio", "peak MiB", "target", "verdict"]
    ]
    /// How many verdicts there are, and how many of them are not "ok".
    private(set) var verdictCount = 0
    private(set) var missCount = 0
    /// A command of ours ended badly.
    private(set) var hasFailure = false

    init(_ measurements: [Measurement], corpus: Corpus, byteCount: Int) {
        let reference = measurements.first { $0.contender.role == .reference }
        for measurement in measurements {
            add(measurement, reference: reference, corpus: corpus, byteCount: byteCount)
        }
    }

    private mutating func add(
        _ measurement: Measurement, reference: Measurement?, corpus: Corpus, byteCount: Int
    ) {
        var row = [measurement.contender.name]
        var target = ""
        var verdict = measurement.failure ?? ""
        let ratio = reference.flatMap(measurement.ratio(to:))
        if let best = measurement.bestSeconds, measurement.failure == nil {
            let bound = measurement.timedOut ? "> " : ""
            row.append(bound + format(best, decimals: 3))
            row.append(bound + format(measurement.medianSeconds!, decimals: 3))
            row.append(format(measurement.medianProcessorSeconds!, decimals: 3))
            row.append((measurement.timedOut ? "< " : "") + format(Double(byteCount) / 1e6 / best, decimals: 0))
            row.append(ratio.map { bound + format($0, decimals: 3) } ?? "")
            row.append(format(Double(measurement.peakBytes!) / 1_048_576, decimals: 1))
        } else {
            row += ["", "", "", "", "", ""]
        }
        if case .ours(let command) = measurement.contender.role {
            let promise = Target(command: command, corpus: corpus)
            target = promise.text
            verdictCount += 1
            if measurement.failure == nil, let peak = measurement.peakBytes {
                verdict = promise.verdict(ratio: ratio, peakBytes: peak)
            } else {
                hasFailure = true
            }
            if verdict != "ok" { missCount += 1 }
        }
        rows.append(row + [target, verdict])
    }

    var markdown: String { MarkdownTable(rows).text }
}
