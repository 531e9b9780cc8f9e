import RDBKit

/// Differences for people: a line for each key, and below it one for each element that changed.
final class DiffText: DifferenceSink {
    private let colors: Bool
    let wantsElements: Bool
    private var lines: LineBuffer

    private enum Sign: String {
        case removed = "-"
        case added = "+"
        case changed = "~"

        var color: String {
            switch self {
            case .removed: "31"
            case .added: "32"
            case .changed: "33"
            }
        }
    }

    init(_ file: OutputFile, colors: Bool, keysOnly: Bool) {
        lines = LineBuffer(file)
        self.colors = colors
        wantsElements = !keysOnly
    }

    var failure: OutputError? { lines.failure }

    func flush() { lines.flush() }

    private func line(_ sign: Sign, _ text: String, indent: String = "") {
        let line = "\(indent)\(sign.rawValue) \(text)"
        lines.text.append(colors ? "\u{1b}[\(sign.color)m\(line)\u{1b}[0m\n" : line + "\n")
        lines.relieve()
    }

    private func element(_ sign: Sign, _ text: String) { line(sign, text, indent: "    ") }

    // MARK: - Keys

    private static func name(_ reader: borrowing RDBReader) -> String {
        "\(reader.header.database) \(reader.header.type.name) \(TerminalText.quoted(reader.copyKey(), limit: 512))"
    }

    func removed(_ a: inout RDBReader) throws(DecodeError) {
        line(.removed, Self.name(a) + (wantsElements ? try Self.summary(&a) : ""))
    }

    func added(_ b: inout RDBReader) throws(DecodeError) {
        line(.added, Self.name(b) + (wantsElements ? try Self.summary(&b) : ""))
    }

    func replaced(_ a: inout RDBReader, _ b: inout RDBReader) throws(DecodeError) {
        guard wantsElements else { return line(.changed, "\(Self.name(a)) → \(b.header.type.name)") }
        try removed(&a)
        try added(&b)
    }

    /// What a key holds that is not told element by element.
    private static func summary(_ reader: inout RDBReader) throws(DecodeError) -> String {
        var text = ""
        if reader.header.type == .string {
            var first = FirstText(limit: 120)
            try reader.readValue(into: &first)
            text = " \(TerminalText.quoted(first.bytes, byteCount: first.byteCount))"
        } else {
            let type = reader.header.type
            var counter = CountingVisitor()
            try reader.readValue(into: &counter)
            let unit =
                switch type {
                case .set, .zset: "member"
                case .hash, .pathHash: "field"
                case .stream: counter.count == 1 ? "entr" : "entrie"
                case .module, .cron: "part"
                default: "element"
                }
            text =
                " (\(counter.count) \(unit)\(type == .stream && counter.count == 1 ? "y" : counter.count == 1 ? "" : "s"))"
        }
        if let expiry = reader.header.expiresAt { text += " expires \(time(expiry))" }
        return text
    }

    func changed(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges, _ expiry: ExpiryChange?
    ) throws(SinkFailure) {
        line(.changed, Self.name(a))
        guard wantsElements else { return }
        if a.header.database != b.header.database {
            element(.changed, "db: \(a.header.database) → \(b.header.database)")
        }
        if let expiry { element(.changed, "expiry: \(Self.time(expiry.a)) → \(Self.time(expiry.b))") }
        do throws(SpillError) {
            try changes.visit { (change) throws(SpillError) in
                switch change {
                case .removed(let a): element(.removed, Self.text(a, index: "a"))
                case .added(let b): element(.added, Self.text(b, index: "b"))
                case .changed(let a, let b): element(.changed, try Self.text(a, b))
                }
                if failure != nil { throw .interrupted }
            }
        } catch {
            if failure == nil { throw .spill(error) }
        }
        if changes.isCoarse {
            lines.text.append("    (not the fewest edits: the lists are too large or too different for that)\n")
        }
    }

    func function(_ library: FunctionTable.Library, _ change: FunctionTable.Change, source: [UInt8]?) {
        let sign: Sign =
            switch change {
            case .onlyA: .removed
            case .onlyB: .added
            case .different: .changed
            }
        line(
            sign,
            "function library \(TerminalText.quoted(Array(library.name.utf8))) (\(TerminalText.plain(library.engine)))")
    }

    // MARK: - Elements

    private static func time(_ milliseconds: Int64?) -> String {
        guard let milliseconds else { return "none" }
        let text = CivilTime.text(milliseconds: milliseconds)
        let rest = (milliseconds % 1000 + 1000) % 1000
        guard rest != 0, text.hasSuffix("Z") else { return text }
        return "\(text.dropLast()).\(String(1000 + rest).dropFirst())Z"
    }

    private static func name(_ element: Element) -> String {
        switch element {
        case .string, .number: "value"
        case .listElement(let index, _): "element \(index)"
        case .member(let member), .scoredMember(let member, _): "member \(TerminalText.quoted(member))"
        case .field(let field, _, _): "field \(TerminalText.quoted(field))"
        case .pathField(let path, let field, _):
            "path \(TerminalText.quoted(path)) field \(TerminalText.quoted(field))"
        case .arrayElement(let index, _): "element \(index)"
        case .insertIndex: "insert index"
        case .streamEntry(let id, _): "entry \(id)"
        case .streamState: "stream"
        case .group(let group, _, _): "group \(TerminalText.quoted(group))"
        case .consumer(let group, let consumer, _, _):
            "group \(TerminalText.quoted(group)) consumer \(TerminalText.quoted(consumer))"
        case .pendingEntry(let group, let id, _, _): "group \(TerminalText.quoted(group)) pending \(id)"
        case .owner(let group, let id, _): "group \(TerminalText.quoted(group)) owner of \(id)"
        case .unowned(let group, let order, _): "group \(TerminalText.quoted(group)) without owner \(order)"
        case .idempotence: "idempotent producers"
        case .producerEntry(let producer, let id, _):
            "producer \(TerminalText.quoted(producer)) entry \(TerminalText.quoted(id))"
        case .module: "module"
        case .modulePart(let index, _): "part \(index)"
        }
    }

    /// What an element holds; nil where its name says all.
    private static func value(_ element: Element) -> String? {
        switch element {
        case .string(let text), .listElement(_, let text), .arrayElement(_, let text), .pathField(_, _, let text):
            return TerminalText.quoted(text)
        case .member: return nil
        case .scoredMember(_, let score): return number(score)
        case .field(_, let text, let expiry):
            return TerminalText.quoted(text) + (expiry.map { " expires \(time($0))" } ?? "")
        case .insertIndex(let number), .number(let number): return "\(number)"
        case .streamEntry(_, let fields):
            return fields.map { "\(TerminalText.quoted($0.name)) \(TerminalText.quoted($0.value))" }.joined(
                separator: ", ")
        case .streamState(let lastID, let added, let maxDeleted):
            var words = "last ID \(lastID)"
            if let added { words += ", \(added) added" }
            if let maxDeleted { words += ", highest deleted \(maxDeleted)" }
            return words
        case .group(_, let lastID, let read): return "last ID \(lastID)" + (read.map { ", \($0) read" } ?? "")
        case .consumer(_, _, let seen, let active):
            return seen == nil && active == nil ? nil : "seen \(time(seen)), active \(time(active))"
        case .pendingEntry(_, _, let delivered, let count):
            return "\(count) deliver\(count == 1 ? "y" : "ies")" + (delivered.map { ", last \(time($0))" } ?? "")
        case .owner(_, _, let consumer): return TerminalText.quoted(consumer)
        case .unowned(_, _, let id): return "\(id)"
        case .idempotence(let state):
            return "\(state.durationSeconds) s, \(state.maxEntries) entries, \(state.idsAdded) added, "
                + "\(state.idsDuplicate) duplicate"
        case .producerEntry(_, _, let id): return "\(id)"
        case .module(let id): return id.description
        case .modulePart(_, let part):
            switch part {
            case .signed(let number): return "\(number)"
            case .unsigned(let number): return "\(number)"
            case .float(let value): return "\(value)"
            case .double(let value): return number(value)
            case .text(let text): return TerminalText.quoted(text)
            }
        }
    }

    private static func number(_ value: Double) -> String {
        var out = OutputBuffer(capacity: 64)
        out.append(decimal: value)
        return String(decoding: out.bytes.array, as: UTF8.self)
    }

    private static func text(_ element: Element, index side: String) -> String {
        guard let value = value(element) else { return name(element) }
        return "\(name(element)): \(value)"
    }

    private static func text(_ a: Element, _ b: Element) throws(SpillError) -> String {
        if case .string(let old) = a, case .string(let new) = b, max(old.byteCount, new.byteCount) > 120 {
            return try TextRange(old, new).text
        }
        var name = name(a)
        if case .listElement(let from, _) = a, case .listElement(let to, _) = b, from != to {
            name = "element \(from) → \(to)"
        }
        return "\(name): \(value(a) ?? "") → \(value(b) ?? "")"
    }
}

/// Keeps the beginning of a string.
private struct FirstText: ValueVisitor {
    let limit: Int
    private(set) var bytes: [UInt8] = []
    private(set) var byteCount: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    mutating func text(_ bytes: RawSpan, as role: TextRole) { largeTextChunk(bytes) }
    mutating func integer(_ value: Int64, as role: TextRole) {
        bytes = Array(String(value).utf8)
        byteCount = UInt64(bytes.count)
    }
    mutating func largeTextChunk(_ chunk: RawSpan) {
        byteCount += UInt64(chunk.byteCount)
        if bytes.count < limit { bytes += chunk.extracting(first: min(chunk.byteCount, limit - bytes.count)).array }
    }
}

/// The bytes between what two long strings have in common at both ends.
private struct TextRange {
    private let old: StoredText
    private let new: StoredText
    private var start: UInt64 = 0
    private var tail: UInt64 = 0

    private static let step: UInt64 = 64 << 10

    init(_ old: StoredText, _ new: StoredText) throws(SpillError) {
        self.old = old
        self.new = new
        let shorter = min(old.byteCount, new.byteCount)
        scan: while start < shorter {
            let end = min(shorter, start + Self.step)
            let (a, b) = (try old.bytes(start..<end), try new.bytes(start..<end))
            for index in a.indices where a[index] != b[index] {
                start += UInt64(index)
                break scan
            }
            start = end
        }
        scan: while tail < shorter - start {
            let count = min(shorter - start - tail, Self.step)
            let a = try old.bytes(old.byteCount - tail - count..<old.byteCount - tail)
            let b = try new.bytes(new.byteCount - tail - count..<new.byteCount - tail)
            for index in a.indices.reversed() where a[index] != b[index] {
                tail += UInt64(a.count - 1 - index)
                break scan
            }
            tail += count
        }
    }

    var text: String {
        get throws(SpillError) {
            func part(_ text: StoredText) throws(SpillError) -> String {
                let range = start..<text.byteCount - tail
                let shown = try text.bytes(range.lowerBound..<min(range.upperBound, range.lowerBound + 60))
                return TerminalText.quoted(shown, byteCount: UInt64(range.count), limit: 60)
            }
            let place = "bytes \(start) to \(old.byteCount - tail) of \(old.byteCount)"
            let other = old.byteCount == new.byteCount ? "" : " (now \(new.byteCount))"
            return "\(place)\(other): \(try part(old)) → \(try part(new))"
        }
    }
}
