public import RDBBytes
public import RDBFormat
import RDBModel
import RDBSinks
public import RDBTransforms

/// Differences as JSON Lines, one change a line:
///
///     {"change":"added","what":"key","db":0,"key":"k","type":"string","encoding":"raw","value":"v"}
///     {"change":"changed","what":"field","db":0,"key":"user:1","type":"hash","field":"age","a":"1","b":"2"}
///
/// A key that is in one input only comes as `rdbkit json` writes it. The schema is in rdbkit-diff(1).
public final class DifferenceJSON: DifferenceSink {
    private var lines: LineBuffer
    private var addedKeys: JSONEntryWriter
    private var removedKeys: JSONEntryWriter
    /// Whose lines wait to be written; the others have none.
    private var writing = Writer.lines

    private enum Writer { case lines, added, removed }

    public let wantsElements: Bool

    /// - Parameter keysOnly: one line a key, and nothing of its value.
    public init(_ file: OutputFile, keysOnly: Bool) {
        lines = LineBuffer(file)
        wantsElements = !keysOnly
        func writer(_ change: String) -> JSONEntryWriter {
            var options = JSONOptions()
            options.leadingMembers = "\"change\":\"\(change)\",\"what\":\"key\","
            return JSONEntryWriter(file, options: options)
        }
        addedKeys = writer("added")
        removedKeys = writer("removed")
    }

    public var failure: OutputError? { lines.failure ?? addedKeys.failure ?? removedKeys.failure }

    /// Writes what waits.
    public func flush() {
        switch writing {
        case .added: addedKeys.flush()
        case .removed: removedKeys.flush()
        case .lines: lines.flush()
        }
    }

    private func turn(to writer: Writer) {
        if writing != writer { flush() }
        writing = writer
    }

    // MARK: - Keys

    public func removed(_ a: inout RDBReader) throws(DecodeError) {
        if !wantsElements { return keyLine("removed", a) }
        turn(to: .removed)
        try Self.write(&a, &removedKeys)
    }

    public func added(_ b: inout RDBReader) throws(DecodeError) {
        if !wantsElements { return keyLine("added", b) }
        turn(to: .added)
        try Self.write(&b, &addedKeys)
    }

    private static func write(_ reader: inout RDBReader, _ writer: inout JSONEntryWriter) throws(DecodeError) {
        writer.begin(reader.header, key: reader.key)
        do throws(DecodeError) {
            try reader.readValue(into: &writer)
            while writer.startAnotherPass() {
                try reader.rewindToValue()
                try reader.readValue(into: &writer)
            }
            if let refusal = writer.refusal { throw refusal }
        } catch {
            writer.discard()
            throw error
        }
        writer.end(valueByteCount: reader.offset - reader.header.valueOffset, slot: nil)
    }

    private func keyLine(_ change: String, _ reader: borrowing RDBReader, _ more: [(String, JSONValue)] = []) {
        line(
            [("change", .text(change)), ("what", .text("key"))] + Self.head(reader)
                + more.map { (name: $0.0, value: $0.1) })
    }

    private static func head(_ reader: borrowing RDBReader) -> [(name: String, value: JSONValue)] {
        [
            ("db", .unsigned(reader.header.database)), ("key", .bytes(reader.copyKey())),
            ("type", .text(reader.header.type.name)),
        ]
    }

    private func line(_ members: [(name: String, value: JSONValue)]) {
        turn(to: .lines)
        JSONValue.object(members).append(to: &lines.text)
        lines.text.append("\n")
        lines.relieve()
    }

    public func replaced(_ a: inout RDBReader, _ b: inout RDBReader) throws(DecodeError) {
        if wantsElements {
            try removed(&a)
            return try added(&b)
        }
        keyLine("changed", a, [("b_type", .text(b.header.type.name))])
    }

    public func changed(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges, _ expiry: ExpiryChange?
    ) throws(SinkFailure) {
        if !wantsElements { return keyLine("changed", a) }
        let head = Self.head(a)
        if a.header.database != b.header.database {
            line(Self.change("changed", "db", head, [], .unsigned(a.header.database), .unsigned(b.header.database)))
        }
        if let expiry {
            line(
                Self.change(
                    "changed", "expiry", head, [], expiry.a.map { .integer($0) } ?? .null,
                    expiry.b.map { .integer($0) } ?? .null))
        }
        do throws(SpillError) {
            try changes.visit { change in
                switch change {
                case .removed(let a): line(Self.members("removed", head, a, nil))
                case .added(let b): line(Self.members("added", head, nil, b))
                case .changed(let a, let b): line(Self.members("changed", head, a, b))
                }
            }
        } catch { throw .spill(error) }
        if changes.isCoarse {
            line([("change", .text("note")), ("what", .text("not_minimal"))] + head)
        }
    }

    public func function(_ library: FunctionTable.Library, _ change: FunctionTable.Change, source: [UInt8]?) {
        let words =
            switch change {
            case .onlyA: "removed"
            case .onlyB: "added"
            case .different: "changed"
            }
        var members: [(name: String, value: JSONValue)] = [
            ("change", .text(words)), ("what", .text("function")), ("name", .text(library.name)),
            ("engine", .text(library.engine)),
        ]
        if let source, wantsElements { members.append(("b", .bytes(source))) }
        line(members)
    }

    // MARK: - Elements

    private static func change(
        _ change: String, _ what: String, _ head: [(name: String, value: JSONValue)],
        _ identity: [(name: String, value: JSONValue)], _ a: JSONValue?, _ b: JSONValue?
    ) -> [(name: String, value: JSONValue)] {
        var members: [(name: String, value: JSONValue)] = [("change", .text(change)), ("what", .text(what))]
        members += head + identity
        if let a { members.append(("a", a)) }
        if let b { members.append(("b", b)) }
        return members
    }

    private static func members(
        _ word: String, _ head: [(name: String, value: JSONValue)], _ a: Element?, _ b: Element?
    ) -> [(name: String, value: JSONValue)] {
        let first = a.map { ElementDescription($0) }
        let second = b.map { ElementDescription($0) }
        guard let one = second ?? first else { return [] }
        var identity = one.identity
        if case .listElement(let index, _)? = a { identity.append(("a_index", .unsigned(index))) }
        if case .listElement(let index, _)? = b { identity.append(("b_index", .unsigned(index))) }
        var members = change(word, one.what, head, identity, first?.value, second?.value)
        if case .field(_, _, let expiry?)? = a { members.append(("a_expires_at_ms", .integer(expiry))) }
        if case .field(_, _, let expiry?)? = b { members.append(("b_expires_at_ms", .integer(expiry))) }
        return members
    }
}
