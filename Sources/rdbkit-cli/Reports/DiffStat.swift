import RDBKit

/// A summary of differences: by database and type, and by what keys begin with.
final class DiffStat: DifferenceSink {
    let wantsElements = false
    let failure: OutputError? = nil

    private struct Row {
        var onlyA: UInt64 = 0
        var onlyB: UInt64 = 0
        var changed: UInt64 = 0
        var sum: UInt64 { onlyA + onlyB + changed }
    }

    /// Up to the first colon.
    private var onlyA = PrefixTally(delimiter: [UInt8(ascii: ":")], depth: 1)
    private var onlyB = PrefixTally(delimiter: [UInt8(ascii: ":")], depth: 1)
    private var changed = PrefixTally(delimiter: [UInt8(ascii: ":")], depth: 1)
    /// Rows of the table for people; machines get all.
    private static let maxRows = 50

    func removed(_ a: inout RDBReader) throws(DecodeError) { onlyA.add(a.key, byteCount: 0) }
    func added(_ b: inout RDBReader) throws(DecodeError) { onlyB.add(b.key, byteCount: 0) }
    func replaced(_ a: inout RDBReader, _ b: inout RDBReader) throws(DecodeError) { changed.add(a.key, byteCount: 0) }
    func changed(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges, _ expiry: ExpiryChange?
    ) throws(SinkFailure) {
        changed.add(a.key, byteCount: 0)
    }
    func function(_ library: FunctionTable.Library, _ change: FunctionTable.Change, source: [UInt8]?) {}

    private var rows: [(prefix: [UInt8], row: Row)] {
        var rows: [[UInt8]: Row] = [:]
        for row in onlyA.sorted { rows[row.prefix, default: Row()].onlyA = row.count }
        for row in onlyB.sorted { rows[row.prefix, default: Row()].onlyB = row.count }
        for row in changed.sorted { rows[row.prefix, default: Row()].changed = row.count }
        return rows.sorted { left, right in
            left.value.sum != right.value.sum
                ? left.value.sum > right.value.sum : left.key.lexicographicallyPrecedes(right.key)
        }.map { ($0.key, $0.value) }
    }

    private var others: Row {
        Row(onlyA: onlyA.others.count, onlyB: onlyB.others.count, changed: changed.others.count)
    }

    /// - Parameter summary: what `verify` says of the same inputs.
    func text(_ summary: VerifyReport, _ format: VerifyFormat) -> [UInt8] {
        format == .text ? people(summary) : json(summary)
    }

    private func people(_ summary: VerifyReport) -> [UInt8] {
        var text = summary.text(.text)
        let rows = rows
        if rows.isEmpty { return text }
        var table = TextTable(["prefix", "only A", "only B", "changed"])
        for (prefix, row) in rows.prefix(Self.maxRows) {
            table.add(
                prefix.isEmpty ? "(none)" : TerminalText.quoted(prefix), "\(row.onlyA)", "\(row.onlyB)",
                "\(row.changed)")
        }
        var rest = others
        for (_, row) in rows.dropFirst(Self.maxRows) {
            rest.onlyA += row.onlyA
            rest.onlyB += row.onlyB
            rest.changed += row.changed
        }
        if rest.sum > 0 { table.add("(others)", "\(rest.onlyA)", "\(rest.onlyB)", "\(rest.changed)") }
        text += Array("\n\(table.text)".utf8)
        return text
    }

    private func json(_ summary: VerifyReport) -> [UInt8] {
        func members(_ row: Row) -> [(name: String, value: JSONValue)] {
            [("only_a", .unsigned(row.onlyA)), ("only_b", .unsigned(row.onlyB)), ("changed", .unsigned(row.changed))]
        }
        var prefixes = rows.map { prefix, row in JSONValue.object([("prefix", .bytes(prefix))] + members(row)) }
        if others.sum > 0 { prefixes.append(.object([("prefix", .null)] + members(others))) }
        var out = OutputBuffer(capacity: 4096)
        JSONValue.object(summary.members + [("by_prefix", .array(prefixes))]).append(to: &out)
        out.append("\n")
        return out.bytes.array
    }
}
