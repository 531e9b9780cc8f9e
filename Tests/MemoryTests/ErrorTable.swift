/// How far estimates are from what a server says, by type and encoding.
struct ErrorTable {
    struct Row {
        var count = 0
        var within = 0
        var estimated: Double = 0
        var measured: Double = 0
        /// Estimated by measured, minus 1.
        var errors: [Double] = []
    }

    private(set) var rows: [String: Row] = [:]

    mutating func add(_ name: String, estimated: UInt64, measured: Int64) {
        let error = Double(estimated) / Double(measured) - 1
        rows[name, default: Row()].count += 1
        if abs(error) <= 0.05 { rows[name]?.within += 1 }
        rows[name]?.estimated += Double(estimated)
        rows[name]?.measured += Double(measured)
        rows[name]?.errors.append(error)
    }

    var estimated: Double { rows.values.reduce(0) { $0 + $1.estimated } }
    var measured: Double { rows.values.reduce(0) { $0 + $1.measured } }

    static func percent(_ share: Double) -> String {
        let hundredths = Int((share * 10_000).rounded())
        let digits = String(abs(hundredths) % 100)
        return (hundredths < 0 ? "-" : "") + "\(abs(hundredths) / 100)." + (digits.utf8.count < 2 ? "0" : "") + digits
            + " %"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// One line for each type and encoding: keys, share within 5 %, error of the sum, and the errors' distribution.
    var text: String {
        var lines = [
            "  type encoding            keys  within 5 %  of the sum   lowest     5th  median    95th highest"
        ]
        for (name, row) in rows.sorted(by: { $0.key < $1.key }) {
            let errors = row.errors.sorted()
            func quantile(_ share: Double) -> String {
                Self.padded(Self.percent(errors[Int((Double(errors.count - 1) * share).rounded())]), 8)
            }
            lines.append(
                "  " + name + Self.padded("", 20 - name.count) + Self.padded(String(row.count), 9)
                    + Self.padded(Self.percent(Double(row.within) / Double(row.count)), 12)
                    + Self.padded(Self.percent(row.estimated / row.measured - 1), 12) + " " + quantile(0)
                    + quantile(0.05) + quantile(0.5) + quantile(0.95) + quantile(1))
        }
        lines.append("  sum of all: \(Self.percent(estimated / measured - 1))")
        return lines.joined(separator: "\n")
    }
}
