import RDBKit

/// The result of `verify`.
struct VerifyReport {
    private let comparison: Comparison
    private let a: String
    private let b: String
    private let isWhole: Bool
    private let isSample: Bool

    /// - Parameter isWhole: whether all of both inputs was read; if not, nothing is called the same.
    init(_ comparison: Comparison, _ a: String, _ b: String, isWhole: Bool, isSample: Bool) {
        self.comparison = comparison
        self.a = a
        self.b = b
        self.isWhole = isWhole
        self.isSample = isSample
    }

    func text(_ format: VerifyFormat) -> [UInt8] {
        switch format {
        case .text: Array(people.utf8)
        case .json: json
        }
    }

    private var total: KeyCounts { comparison.counts.total }

    private var people: String {
        let functions = comparison.functions
        var text = ""
        if comparison.isSame {
            text = isWhole ? "same: " : "no difference in what could be read: "
            text += "\(total.same) key\(total.same == 1 ? "" : "s")\(isSample ? " of a sample" : "")"
            if functions.sameCount > 0 {
                text += ", \(functions.sameCount) function librar\(functions.sameCount == 1 ? "y" : "ies")"
            }
            text += "\n"
        } else {
            text = "different\(isSample ? " (of a sample)" : "")\(isWhole ? "" : " (of what could be read)"): "
            text += "\(total.onlyA) only in \(a), \(total.onlyB) only in \(b), \(total.different) changed, "
            text += "\(total.same) same\n"
            if !total.isSame { text += "\n" + table }
            for (library, change) in functions.changes {
                let words =
                    switch change {
                    case .onlyA: "only in \(a)"
                    case .onlyB: "only in \(b)"
                    case .different: "changed"
                    }
                text +=
                    "function library \(TerminalText.plain(library.name)) (\(TerminalText.plain(library.engine))): \(words)\n"
            }
        }
        for side in Side.allCases where comparison.duplicateCounts[side.rawValue] > 0 {
            text += "\(side == .a ? a : b): \(comparison.duplicateCounts[side.rawValue]) keys came more than once; "
            text += "the last one counts\n"
        }
        if comparison.counts.hasTooManyDatabases { text += "databases beyond the first 65536 are in the sums only\n" }
        return text
    }

    private var table: String {
        var table = TextTable(["db", "type", "only A", "only B", "changed", "same"])
        for (place, counts) in comparison.counts.byPlace {
            table.add(
                "\(place.database)", place.type.name, "\(counts.onlyA)", "\(counts.onlyB)", "\(counts.different)",
                "\(counts.same)")
        }
        return table.text
    }

    private var json: [UInt8] {
        var out = OutputBuffer(capacity: 4096)
        JSONValue.object(members).append(to: &out)
        out.append("\n")
        return out.bytes.array
    }

    /// Of the one object.
    var members: [(name: String, value: JSONValue)] {
        func members(_ counts: KeyCounts) -> [(name: String, value: JSONValue)] {
            [
                ("only_a", .unsigned(counts.onlyA)), ("only_b", .unsigned(counts.onlyB)),
                ("changed", .unsigned(counts.different)), ("same", .unsigned(counts.same)),
            ]
        }
        let functions = comparison.functions
        return
            [("same_data", isWhole ? .bool(comparison.isSame) : comparison.isSame ? .null : .bool(false))]
            + [("a", .text(a)), ("b", .text(b)), ("whole", .bool(isWhole)), ("sample", .bool(isSample))]
            + [("keys", .object(members(total)))]
            + [
                (
                    "by_db_and_type",
                    .array(
                        comparison.counts.byPlace.map { place, counts in
                            .object(
                                [("db", .unsigned(place.database)), ("type", .text(place.type.name))]
                                    + members(counts))
                        })
                ),
                ("same_functions", .unsigned(functions.sameCount)),
                (
                    "functions",
                    .array(
                        functions.changes.map { library, change in
                            .members(
                                ("name", .text(library.name)), ("engine", .text(library.engine)),
                                ("change", .text(change.name)))
                        })
                ),
                ("duplicates_a", .unsigned(comparison.duplicateCounts[0])),
                ("duplicates_b", .unsigned(comparison.duplicateCounts[1])),
            ]
    }
}

extension FunctionTable.Change {
    var name: String {
        switch self {
        case .onlyA: "only_a"
        case .onlyB: "only_b"
        case .different: "changed"
        }
    }
}
