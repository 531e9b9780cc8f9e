import Glibc
import RDBKit
import RDBServer

/// What became of the entries of a restore, on standard output.
struct RestoreReport {
    private let summary: RestoreSummary
    private let target: String
    private let isDryRun: Bool
    private let isVerified: Bool
    /// Why the run ended before its input, if it did.
    private let stopped: String?

    init(
        _ summary: RestoreSummary, _ description: TargetDescription, isDryRun: Bool, isVerified: Bool,
        stopped: String? = nil
    ) {
        self.stopped = stopped
        self.summary = summary
        target = "\(description.name) at \(description.address)"
        self.isDryRun = isDryRun
        self.isVerified = isVerified && !isDryRun
    }

    func write(_ format: SummaryFormat, quiet: Bool) {
        var out = OutputBuffer(capacity: 4096)
        switch format {
        case .json:
            json.append(to: &out)
            out.append("\n")
        case .text:
            if quiet { return }
            out.append(text)
        }
        let file = OutputFile()
        // A closed pipe has nobody to be told.
        try? file.write(out.bytes)
    }

    private var types: [(ValueType, RestoreSummary.Counts)] {
        summary.byType.sorted { $0.key.name < $1.key.name }.map { ($0.key, $0.value) }
    }

    private var seconds: Double { Double(max(1, summary.milliseconds)) / 1000 }

    private var text: String {
        var table = TextTable(["type", isDryRun ? "to send" : "applied", "skipped", "failed"])
        for (type, counts) in types {
            table.add(type.name, "\(counts.applied)", "\(counts.skipped)", "\(counts.failed)")
        }
        let total = summary.total
        table.add("all", "\(total.applied)", "\(total.skipped)", "\(total.failed)")
        let doing = isDryRun ? "would restore" : stopped == nil ? "restored" : "stopped; restored so far"
        var text = "\(doing) into \(target)\n\n" + table.text + "\n"
        var lines: [String] = []
        let forms = RestoreForm.allCases.compactMap { form in
            summary.byForm[form].map { "\($0) \(Self.name(form))" }
        }
        if !forms.isEmpty { lines.append("forms: " + forms.joined(separator: ", ")) }
        if summary.functions.applied + summary.functions.skipped + summary.functions.failed > 0 {
            lines.append(
                "functions: \(summary.functions.applied) applied, \(summary.functions.skipped) skipped, \(summary.functions.failed) failed"
            )
        }
        if summary.expired > 0 { lines.append("left out, expired: \(summary.expired)") }
        if summary.resumed > 0 { lines.append("applied by an earlier run: \(summary.resumed)") }
        if summary.failedBefore > 0 { lines.append("not applied by an earlier run: \(summary.failedBefore)") }
        if isVerified {
            lines.append("read back: \(summary.verified) the same, \(summary.differing) not")
            if summary.uncompared > 0 {
                lines.append("too large to be compared, but there: \(summary.uncompared)")
            }
        }
        if summary.reconnections > 0 { lines.append("connections lost and made again: \(summary.reconnections)") }
        if !isDryRun {
            lines.append(
                "\(humanByteCount(summary.byteCount)) in \(Self.rounded(seconds)) s, "
                    + "\(humanByteCount(UInt64(Double(summary.byteCount) / seconds)))/s, "
                    + "\(UInt64(Double(total.applied) / seconds)) keys/s")
        }
        for line in lines { text += line + "\n" }
        return text
    }

    private static func rounded(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func name(_ form: RestoreForm) -> String {
        switch form {
        case .batched: "in MSET"
        case .set: "by SET"
        case .restore: "by RESTORE"
        case .commands: "by commands"
        case .sliced: "in slices"
        }
    }

    private var json: JSONValue {
        let total = summary.total
        let byType = types.map { type, counts in
            (
                name: type.name,
                value: JSONValue.members(
                    ("applied", .unsigned(counts.applied)), ("skipped", .unsigned(counts.skipped)),
                    ("failed", .unsigned(counts.failed)))
            )
        }
        return .members(
            ("target", .text(target)), ("dry_run", .bool(isDryRun)), ("stopped", stopped.map { .text($0) }),
            ("applied", .unsigned(total.applied)),
            ("skipped", .unsigned(total.skipped)), ("failed", .unsigned(total.failed)),
            ("expired", .unsigned(summary.expired)), ("resumed", .unsigned(summary.resumed)),
            ("failed_before", summary.failedBefore > 0 ? .unsigned(summary.failedBefore) : nil),
            ("functions", .unsigned(summary.functions.applied)),
            ("verified", isVerified ? .unsigned(summary.verified) : nil),
            ("differing", isVerified ? .unsigned(summary.differing) : nil),
            ("uncompared", isVerified && summary.uncompared > 0 ? .unsigned(summary.uncompared) : nil),
            ("reconnections", .unsigned(summary.reconnections)), ("sent_bytes", .unsigned(summary.byteCount)),
            ("elapsed_ms", .unsigned(UInt64(max(0, summary.milliseconds)))),
            ("types", .object(byType)))
    }
}
