import RDBKit
import RDBTestSupport
import Testing

/// Holds two files in memory against each other, and keeps what a sink was told.
final class MemorySide: SnapshotSide {
    let name: String
    private let bytes: [UInt8]

    init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    func open(wanting wants: KeyFilter?, isLast: Bool) -> any ByteSource { MemorySource(bytes) }
}

enum Differences {
    /// In both ways, which have to find the same: of records alone, and tallied before.
    static func compare(
        _ a: [UInt8], _ b: [UInt8], _ options: ComparisonOptions = ComparisonOptions(), threads: Int = 1
    ) throws -> Comparison {
        let comparison = try recorded(a, b, options, threads: threads)
        if options.isTimed { return comparison }
        let tallied = Comparison(options)
        try read(a, b) { try tallied.tally($0, &$1, $2, threads: threads) }
        let hasSuspects = try tallied.findSuspects()
        if hasSuspects { try read(a, b) { try tallied.record($0, &$1, $2, threads: threads) } }
        try tallied.join(keepsKeys: true)
        #expect(tallied.isSame == comparison.isSame && tallied.counts.total == comparison.counts.total)
        #expect(tallied.counts.byPlace.map(\.place) == comparison.counts.byPlace.map(\.place))
        #expect(tallied.counts.byPlace.map(\.counts) == comparison.counts.byPlace.map(\.counts))
        #expect(tallied.functions.changes.count == comparison.functions.changes.count)
        #expect(tallied.functions.sameCount == comparison.functions.sameCount)
        #expect(tallied.duplicateCounts == comparison.duplicateCounts)
        if !hasSuspects { #expect(comparison.counts.total.isSame && comparison.duplicateCounts == [0, 0]) }
        return tallied
    }

    private static func recorded(
        _ a: [UInt8], _ b: [UInt8], _ options: ComparisonOptions, threads: Int
    ) throws -> Comparison {
        let comparison = Comparison(options)
        try read(a, b) { try comparison.record($0, &$1, $2, threads: threads) }
        try comparison.join(keepsKeys: true)
        return comparison
    }

    private static func read(
        _ a: [UInt8], _ b: [UInt8], _ body: (Side, inout RDBReader, EntryLoop) throws -> LoopOutcome
    ) throws {
        for (side, bytes) in [(Side.a, a), (.b, b)] {
            var reader = try RDBReader(MemorySource(bytes))
            _ = try body(side, &reader, EntryLoop(selection: Selection(now: 0)))
        }
    }

    static func tell(
        _ a: [UInt8], _ b: [UInt8], _ options: ComparisonOptions = ComparisonOptions(), into sink: some DifferenceSink
    ) throws -> Comparison {
        let comparison = try compare(a, b, options)
        let difference = Difference(comparison)
        for part in 0..<difference.partCount {
            for (side, bytes) in [(Side.a, a), (.b, b)] {
                let source = MemorySource(bytes)
                var reader = try RDBReader(source)
                try difference.locate(side, part, &reader, source, EntryLoop(selection: Selection(now: 0)))
            }
        }
        try difference.run(into: sink)
        return comparison
    }
}

/// Changes in words, one a line.
final class CollectedChanges: DifferenceSink {
    let wantsElements = true
    let failure: OutputError? = nil
    private(set) var lines: [String] = []

    private static func name(_ reader: borrowing RDBReader) -> String {
        "\(reader.header.database) \(reader.header.type.name) \(words(reader.copyKey()))"
    }

    static func words(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    static func words(_ element: Element) -> String {
        let described = ElementDescription(element)
        var object: [(name: String, value: JSONValue)] = [("what", .text(described.what))] + described.identity
        if case .listElement(let index, _) = element { object.append(("index", .unsigned(index))) }
        if let value = described.value { object.append(("value", value)) }
        if case .field(_, _, let expiry?) = element { object.append(("expires", .integer(expiry))) }
        var out = OutputBuffer(capacity: 256)
        JSONValue.object(object).append(to: &out)
        return words(out.bytes.array)
    }

    func removed(_ a: inout RDBReader) throws(DecodeError) { lines.append("- \(Self.name(a))") }
    func added(_ b: inout RDBReader) throws(DecodeError) { lines.append("+ \(Self.name(b))") }
    func replaced(_ a: inout RDBReader, _ b: inout RDBReader) throws(DecodeError) {
        lines.append("~ \(Self.name(a)) → \(b.header.type.name)")
    }
    func changed(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges, _ expiry: ExpiryChange?
    ) throws(SinkFailure) {
        let name = Self.name(a)
        if let expiry {
            lines.append(
                "~ \(name) expiry \(expiry.a.map { "\($0)" } ?? "none") → \(expiry.b.map { "\($0)" } ?? "none")")
        }
        do throws(SpillError) {
            try changes.visit { change in
                switch change {
                case .removed(let a): lines.append("~ \(name) - \(Self.words(a))")
                case .added(let b): lines.append("~ \(name) + \(Self.words(b))")
                case .changed(let a, let b): lines.append("~ \(name) \(Self.words(a)) → \(Self.words(b))")
                }
            }
        } catch { throw .spill(error) }
    }
    func function(_ library: FunctionTable.Library, _ change: FunctionTable.Change, source: [UInt8]?) {
        lines.append("\(change) function \(library.name)")
    }
}
