/// A reply of a server, RESP2 or RESP3.
package enum RESPValue: Equatable, Sendable {
    case simple(String)
    case error(String)
    case integer(Int64)
    case bulk(Bytes)
    case null
    case array([RESPValue])
    /// Keys and values in turn, in the order of the reply.
    case map([RESPValue])
    case set([RESPValue])
    case push([RESPValue])
    case double(Double)
    case boolean(Bool)
    case bigNumber(String)
    /// The three-letter form (`txt`, `mkd`) and the text.
    case verbatim(String, Bytes)
}

/// A reply that is not of the form its command should give.
package struct UnexpectedReply: Error, CustomStringConvertible {
    package let expected: String
    package let found: RESPValue

    package var description: String { "expected \(expected) from the server, found \(found)" }
}

extension RESPValue {
    package var isNull: Bool { self == .null }

    /// The bytes of a bulk, simple or verbatim string.
    package func bytes() throws -> Bytes {
        switch self {
        case .bulk(let bytes), .verbatim(_, let bytes): bytes
        case .simple(let text): Bytes(text.utf8)
        default: throw UnexpectedReply(expected: "a string", found: self)
        }
    }

    package func text() throws -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    /// An integer reply, or a string that is one: RESP2 gives some counters as text.
    package func integer() throws -> Int64 {
        if case .integer(let value) = self { return value }
        if let value = Int64(try text()) { return value }
        throw UnexpectedReply(expected: "an integer", found: self)
    }

    /// A double reply, or its text as RESP2 gives it.
    package func double() throws -> Double {
        switch self {
        case .double(let value): return value
        case .integer(let value): return Double(value)
        default:
            guard let value = Double(exactly: try text()) else {
                throw UnexpectedReply(expected: "a double", found: self)
            }
            return value
        }
    }

    /// The elements of an array, set or push, or the keys and values of a map in turn: the flat
    /// form that RESP2 gives for all of them.
    package func elements() throws -> [RESPValue] {
        switch self {
        case .array(let elements), .set(let elements), .map(let elements), .push(let elements): elements
        default: throw UnexpectedReply(expected: "an array", found: self)
        }
    }

    /// The elements two by two: a map, a flat array, or an array of pairs.
    package func pairs() throws -> [(RESPValue, RESPValue)] {
        let elements = try elements()
        if case .array(let first)? = elements.first, first.count == 2, !isMap {
            return try elements.map { element in
                let pair = try element.elements()
                guard pair.count == 2 else { throw UnexpectedReply(expected: "a pair", found: element) }
                return (pair[0], pair[1])
            }
        }
        guard elements.count.isMultiple(of: 2) else { throw UnexpectedReply(expected: "pairs", found: self) }
        return stride(from: 0, to: elements.count, by: 2).map { (elements[$0], elements[$0 + 1]) }
    }

    private var isMap: Bool {
        if case .map = self { true } else { false }
    }

    /// The values by name of a reply such as that of `XINFO`.
    package func fields() throws -> [String: RESPValue] {
        let elements = try elements()
        guard elements.count.isMultiple(of: 2) else { throw UnexpectedReply(expected: "fields", found: self) }
        var fields: [String: RESPValue] = [:]
        for index in stride(from: 0, to: elements.count, by: 2) {
            fields[try elements[index].text()] = elements[index + 1]
        }
        return fields
    }
}

extension [String: RESPValue] {
    /// - Throws: `HarnessError` if the server's reply has no such field.
    package func required(_ name: String) throws -> RESPValue {
        guard let value = self[name] else { throw HarnessError("a reply without \(name): \(keys.sorted())") }
        return value
    }
}

extension Double {
    /// The double nearest to a decimal text, `inf`, `-inf` or `nan`; nil for anything else.
    ///
    /// Both servers' forms (`%.17g` and shortest) read back to the very double they were made from.
    package init?(exactly text: String) {
        switch text {
        case "inf", "+inf": self = .infinity
        case "-inf": self = -.infinity
        case "nan", "-nan": self = .nan
        default: self.init(text)
        }
    }
}

/// One command: its name and arguments.
package struct Command: Sendable {
    package let arguments: [Bytes]

    package init(_ parts: any CommandPart...) {
        arguments = parts.flatMap(\.commandArguments)
    }

    package init(_ parts: [any CommandPart]) {
        arguments = parts.flatMap(\.commandArguments)
    }
}

extension Command: CustomStringConvertible {
    package var description: String {
        let shown = arguments.prefix(8).map(\.quoted).joined(separator: " ")
        return arguments.count > 8 ? "\(shown) … (\(arguments.count) arguments)" : shown
    }
}

/// What a command is written with: text, bytes, numbers, and lists of them.
package protocol CommandPart {
    var commandArguments: [Bytes] { get }
}

extension String: CommandPart {
    package var commandArguments: [Bytes] { [Bytes(utf8)] }
}

extension Int: CommandPart {
    package var commandArguments: [Bytes] { [Bytes(String(self).utf8)] }
}

extension Int64: CommandPart {
    package var commandArguments: [Bytes] { [Bytes(String(self).utf8)] }
}

extension Double: CommandPart {
    /// The shortest text that reads back to the same double.
    package var commandArguments: [Bytes] { [Bytes(description.utf8)] }
}

extension [UInt8]: CommandPart {
    package var commandArguments: [Bytes] { [self] }
}

/// Several arguments of one command.
package struct Arguments: CommandPart {
    package let commandArguments: [Bytes]

    package init(_ arguments: [Bytes]) {
        commandArguments = arguments
    }

    package init(_ arguments: [String]) {
        commandArguments = arguments.map { Bytes($0.utf8) }
    }
}
