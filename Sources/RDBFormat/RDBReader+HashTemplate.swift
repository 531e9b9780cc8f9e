public import RDBBytes
public import RDBModel

// Redis 8.10: opcode 242 gives field names an ID; hashes that refer to it hold values only, in the order of the names.
//
//     30: string = listpack: ID, value, value …          32: length ID, string value …
//
// Source: formats/newest.md §4.3.

/// The field names of a file's hash templates. Memory follows the names that are really there, up to a limit.
@usableFromInline
struct HashTemplates {
    private var byID: [UInt64: [[UInt8]]] = [:]
    /// What the names and the arrays around them take.
    var byteCount = 0
    static let maxByteCount = 16 << 20
    static let fieldOverhead = 64
    static let templateOverhead = 160

    mutating func define(_ id: UInt64, _ fields: [[UInt8]]) { byID[id] = fields }

    @usableFromInline
    func fields(_ id: UInt64) -> [[UInt8]]? { byID[id] }
}

extension RDBReader {
    mutating func readTemplateFields(_ count: UInt64) throws(DecodeError) -> [[UInt8]] {
        var fields: [[UInt8]] = []
        templates.byteCount += HashTemplates.templateOverhead
        var left = count
        while left > 0 {
            let at = window.location
            let field = try readKeptText(limit: ByteWindow.maxContiguousByteCount)
            templates.byteCount += field.bytes.count + HashTemplates.fieldOverhead
            if field.isCut || templates.byteCount > HashTemplates.maxByteCount {
                throw DecodeError(
                    .limitExceeded, at: at, expected: "hash templates of at most 16 MiB in all",
                    found: .unsigned(field.byteCount))
            }
            if let last = fields.last,
                (last.count, 0) > (field.bytes.count, 0)
                    || last.count == field.bytes.count && !last.lexicographicallyPrecedes(field.bytes)
            {
                throw DecodeError(
                    .badHashTemplate, at: at, expected: "field names ascending by length, then bytes",
                    found: .described("another order"))
            }
            fields.append(field.bytes)
            left -= 1
        }
        return fields
    }

    @usableFromInline
    func templateFields(_ id: UInt64, at location: ByteLocation) throws(DecodeError) -> [[UInt8]] {
        guard let fields = templates.fields(id) else {
            throw DecodeError(
                .badHashTemplate, at: location, expected: "the ID of a template defined before", found: .unsigned(id))
        }
        return fields
    }

    @inlinable @inline(never)
    mutating func readTemplateHash<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        if type == .hashTemplateListpack {
            try readPacked(TemplateListpackDecoder(templates: templates), into: &visitor)
            return
        }
        let at = window.location
        let fields = try templateFields(try window.length(), at: at)
        visitor.elements(UInt64(fields.count))
        for field in fields {
            visitor.text(field.rawSpan, as: .field)
            try readText(as: .fieldValue, into: &visitor)
        }
    }
}

/// `ID, value, value …` in a listpack.
@usableFromInline
struct TemplateListpackDecoder: PackedDecoder {
    @usableFromInline let templates: HashTemplates

    @usableFromInline
    init(templates: HashTemplates) { self.templates = templates }

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        var elements = try ListpackReader(opening: &window)
        let at = window.location
        let id = try elements.integer(&window, into: &visitor)
        guard id >= 0, let fields = templates.fields(UInt64(id)) else { throw Self.unknown(at, id) }
        visitor.elements(UInt64(fields.count))
        for field in fields {
            visitor.text(field.rawSpan, as: .field)
            try elements.text(&window, as: .fieldValue, into: &visitor)
        }
        try elements.close(&window, into: &visitor)
    }

    @usableFromInline @inline(never)
    static func unknown(_ at: ByteLocation, _ found: Int64) -> DecodeError {
        DecodeError(
            .badHashTemplate, at: at, expected: "the ID of a template defined before", found: .number(found))
    }
}
