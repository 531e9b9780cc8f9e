public import RDBBytes
public import RDBModel

// Redis 8.10: field names stand apart from the values, in the same order.
//
//     opcode 242: length ID, length count, names          then types that refer to the ID:
//     30: string = listpack: ID, value, value …           32: length ID, string value …
//
//     names, then values, self-contained (DUMP payloads):
//     29: names, string = listpack: ID (not used), values 31: names, string value …
//     names there: length 0, string = listpack of names; or length 1, length count, names
//
// Source: formats/newest.md §4.3.

/// The field names of a file's hash templates. Memory follows the names that are really there, up to a limit.
@usableFromInline
struct HashTemplates {
    private var byID: [UInt64: FieldNames] = [:]
    private var byteCount = 0
    static let maxByteCount = 16 << 20
    /// What the arrays and the place of one template take.
    private static let overhead = 256

    mutating func define(_ id: UInt64, _ names: FieldNames, at location: ByteLocation) throws(DecodeError) {
        if byID[id] != nil {
            throw DecodeError(
                .badHashTemplate, at: location, expected: "an ID that no template has yet", found: .unsigned(id))
        }
        byteCount += names.byteCount + Self.overhead
        if byteCount > Self.maxByteCount {
            throw DecodeError(
                .limitExceeded, at: location, expected: "hash templates of at most 16 MiB in all",
                found: .number(Int64(byteCount)))
        }
        byID[id] = names
    }

    func names(_ id: UInt64, at location: ByteLocation) throws(DecodeError) -> FieldNames {
        guard let names = byID[id] else {
            throw DecodeError(
                .badHashTemplate, at: location, expected: "the ID of a template defined before", found: .unsigned(id))
        }
        return names
    }
}

extension RDBReader {
    /// `length ID, length count, names` of a template.
    mutating func readHashTemplate() throws(DecodeError) -> RDBItem {
        let at = window.location
        let id = try window.length()
        let names = try readFieldNames()
        guard names.count > 0 else {
            throw DecodeError(.badHashTemplate, at: at, expected: "at least one field", found: .number(0))
        }
        try templates.define(id, names, at: at)
        return .hashTemplate(id: id, fieldCount: UInt64(names.count))
    }

    private mutating func readFieldNames() throws(DecodeError) -> FieldNames {
        let at = window.location
        var left = try window.length()
        var names = FieldNames()
        while left > 0 {
            try readText(as: .field, into: &names)
            if names.isTooLong { throw StreamNodeDecoder.namesTooLong(at) }
            left -= 1
        }
        if !names.isAscending { throw badOrder(at) }
        return names
    }

    private func badOrder(_ at: ByteLocation) -> DecodeError {
        DecodeError(
            .badHashTemplate, at: at, expected: "field names ascending by length, then bytes",
            found: .described("another order"))
    }

    @usableFromInline
    mutating func readOwnFieldNames() throws(DecodeError) -> FieldNames {
        let at = window.location
        switch try window.length() {
        case 0:
            var names = FieldNames()
            try readPacked(PackedTexts<ListpackReader>(role: .field), into: &names)
            if names.isTooLong { throw StreamNodeDecoder.namesTooLong(at) }
            if !names.isAscending { throw badOrder(at) }
            return names
        case 1: return try readFieldNames()
        case let form:
            throw DecodeError(.badHashTemplate, at: at, expected: "0 or 1 before the names", found: .unsigned(form))
        }
    }

    @usableFromInline
    mutating func readTemplateNames() throws(DecodeError) -> FieldNames {
        let at = window.location
        return try templates.names(try window.length(), at: at)
    }

    @inlinable @inline(never)
    mutating func readTemplateHash<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        switch type {
        case .hashTemplateListpack:
            try readPacked(TemplateListpackDecoder(templates: templates), into: &visitor)
        case .hashOwnTemplateListpack:
            try readPacked(TemplateListpackDecoder(names: try readOwnFieldNames()), into: &visitor)
        default:
            let names = type == .hashTemplateValues ? try readTemplateNames() : try readOwnFieldNames()
            visitor.elements(UInt64(names.count))
            for index in 0..<names.count {
                visitor.text(names.name(index), as: .field)
                try readText(as: .fieldValue, into: &visitor)
            }
        }
    }
}

/// `ID, value, value …` in a listpack.
@usableFromInline
struct TemplateListpackDecoder: PackedDecoder {
    /// Where the ID leads to the names; nil where the names are the value's own.
    private let templates: HashTemplates?
    private var names = FieldNames()

    @usableFromInline
    init(templates: HashTemplates) { self.templates = templates }

    @usableFromInline
    init(names: FieldNames) {
        templates = nil
        self.names = names
    }

    @usableFromInline
    func names(_ id: Int64, at location: ByteLocation) throws(DecodeError) -> FieldNames {
        guard let templates else { return names }
        // A negative ID is none that a template can have been given.
        return try templates.names(UInt64(bitPattern: id), at: location)
    }

    @inlinable
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) {
        var elements = try ListpackReader(opening: &window)
        let at = window.location
        let names = try names(try elements.integer(&window, into: &visitor), at: at)
        visitor.elements(UInt64(names.count))
        for index in 0..<names.count {
            visitor.text(names.name(index), as: .field)
            try elements.text(&window, as: .fieldValue, into: &visitor)
        }
        try elements.close(&window, into: &visitor)
    }
}
