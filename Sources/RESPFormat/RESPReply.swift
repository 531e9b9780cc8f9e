/// A server's reply, RESP2 or RESP3.
///
/// Strings are bytes; simple strings and errors are the server's own words, so they are kept as text (malformed UTF-8
/// repaired).
public enum RESPReply: Sendable, Equatable {
    case simple(String)
    /// `-` and `!`, without the mark: `ERR unknown command`.
    case error(String)
    case integer(Int64)
    case bulk([UInt8])
    /// `$-1`, `*-1` and `_`.
    case null
    case array([RESPReply])
    /// Keys and values in turn, in the order of the reply.
    case map([RESPReply])
    case set([RESPReply])
    /// Not an answer to a command: an event of a RESP3 connection.
    case push([RESPReply])
    case double(Double)
    case boolean(Bool)
    case bigNumber(String)
    /// The three-letter form (`txt`, `mkd`) and the text.
    case verbatim(form: String, [UInt8])
}

extension RESPReply {
    /// The bytes of a string of any kind, or of a number's text; nil for the others.
    public var bytes: [UInt8]? {
        switch self {
        case .bulk(let bytes), .verbatim(_, let bytes): bytes
        case .simple(let text), .bigNumber(let text): Array(text.utf8)
        case .integer(let value): Array(String(value).utf8)
        default: nil
        }
    }

    /// The same as text, malformed UTF-8 repaired.
    public var text: String? {
        switch self {
        case .simple(let text), .bigNumber(let text): text
        case .bulk(let bytes), .verbatim(_, let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer(let value): String(value)
        default: nil
        }
    }

    /// An integer, or a string that is one: RESP2 gives some numbers as text.
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .boolean(let value): value ? 1 : 0
        case .simple, .bulk, .verbatim, .bigNumber: text.flatMap { Int64($0) }
        default: nil
        }
    }

    /// The elements of an array, a set or a push; of a map its keys and values in turn, as RESP2 has it.
    public var array: [RESPReply]? {
        switch self {
        case .array(let elements), .set(let elements), .map(let elements), .push(let elements): elements
        default: nil
        }
    }

    public var isNull: Bool { self == .null }
    public var isError: Bool { errorText != nil }

    /// What an error says.
    public var errorText: String? {
        if case .error(let text) = self { text } else { nil }
    }

    /// The first word of an error, which says its kind: `MOVED`, `LOADING`, `ERR`.
    public var errorCode: String? {
        errorText.map { String($0.prefix { $0 != " " }) }
    }

    /// `+OK`.
    public var isOK: Bool { self == .simple("OK") }

    /// The value that belongs to a name, in a map or in the flat array that RESP2 has in its place.
    public subscript(name: String) -> RESPReply? {
        guard let elements = array else { return nil }
        var index = 0
        while index + 1 < elements.count {
            if elements[index].text == name { return elements[index + 1] }
            index += 2
        }
        return nil
    }

    /// Whether somebody has to look at it who expects that everything goes well: an error, a null, a number that is not
    /// positive, `false`, or an aggregate that holds such a thing at any depth.
    public var isRemarkable: Bool {
        switch self {
        case .error, .null: true
        case .integer(let value): value <= 0
        case .boolean(let value): !value
        case .array(let elements), .map(let elements), .set(let elements), .push(let elements):
            elements.contains { $0.isRemarkable }
        case .simple, .bulk, .double, .bigNumber, .verbatim: false
        }
    }
}
