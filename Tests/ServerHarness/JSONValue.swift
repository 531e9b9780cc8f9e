internal import Glibc

/// A JSON value that loses nothing: numbers keep their text, strings are bytes, objects keep their
/// order.
package enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// The number as it is written.
    case number(String)
    /// The UTF-8 of the string after its escapes.
    case string(Bytes)
    case array([JSONValue])
    case object([Member])

    package struct Member: Equatable, Sendable {
        package var name: Bytes
        package var value: JSONValue
    }

    /// Parses one JSON text (RFC 8259) and nothing around it but white space.
    ///
    /// - Throws: `HarnessError` with the byte offset at the first thing that the standard does not
    ///   allow, and for a name that comes twice in one object.
    package init(parsing text: Bytes) throws {
        guard text.isUTF8 else { throw HarnessError("not UTF-8: \(text.quoted)") }
        self = try text.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(text: buffer)
            return try parser.parseDocument()
        }
    }
}

private struct JSONParser {
    let text: UnsafeBufferPointer<UInt8>
    var position = 0

    init(text: UnsafeBufferPointer<UInt8>) {
        self.text = text
    }

    mutating func parseDocument() throws -> JSONValue {
        let value = try parseValue()
        skipSpace()
        guard position == text.count else { throw fault("the end") }
        return value
    }

    private func fault(_ expected: String) -> HarnessError {
        let near = Bytes(text[min(position, text.count)..<min(position + 30, text.count)])
        return HarnessError("bad JSON at byte \(position): expected \(expected), found \(near.quoted)")
    }

    private mutating func skipSpace() {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard take(character) else { throw fault("\(character)") }
    }

    private mutating func parseValue() throws -> JSONValue {
        skipSpace()
        guard position < text.count else { throw fault("a value") }
        switch text[position] {
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "{"): return try parseObject()
        case UInt8(ascii: "["): return try parseArray()
        case UInt8(ascii: "t"): return try parseWord("true", .boolean(true))
        case UInt8(ascii: "f"): return try parseWord("false", .boolean(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        default: return try parseNumber()
        }
    }

    private mutating func parseWord(_ word: String, _ value: JSONValue) throws -> JSONValue {
        for character in word.unicodeScalars { try expect(character) }
        return value
    }

    private mutating func parseArray() throws -> JSONValue {
        try expect("[")
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        repeat {
            elements.append(try parseValue())
            skipSpace()
        } while take(",")
        try expect("]")
        return .array(elements)
    }

    private mutating func parseObject() throws -> JSONValue {
        try expect("{")
        var members: [JSONValue.Member] = []
        var names: Set<Bytes> = []
        skipSpace()
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            let name = try parseString()
            guard names.insert(name).inserted else { throw HarnessError("twice in one object: \(name.quoted)") }
            skipSpace()
            try expect(":")
            members.append(JSONValue.Member(name: name, value: try parseValue()))
            skipSpace()
        } while take(",")
        try expect("}")
        return .object(members)
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while position < text.count, text[position] >= 0x30, text[position] <= 0x39 { position += 1 }
        return position - start
    }

    private mutating func parseNumber() throws -> JSONValue {
        let start = position
        _ = take("-")
        let leadsWithZero = position < text.count && text[position] == UInt8(ascii: "0")
        let digits = takeDigits()
        guard digits == 1 || digits > 1 && !leadsWithZero else { throw fault("a value") }
        if take(".") {
            guard takeDigits() > 0 else { throw fault("a digit") }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard takeDigits() > 0 else { throw fault("a digit") }
        }
        return .number(String(decoding: text[start..<position], as: UTF8.self))
    }

    // MARK: Strings

    private mutating func parseString() throws -> Bytes {
        try expect("\"")
        guard let base = text.baseAddress, let end = distance(to: UInt8(ascii: "\"")) else { throw fault("\"") }
        // Most strings have no escape: they are copied in one piece.
        if memchr(base + position, Int32(UInt8(ascii: "\\")), end) == nil {
            let bytes = Bytes(text[position..<position + end])
            try checkForControls(end: position + end)
            position += end + 1
            return bytes
        }
        var bytes = Bytes()
        while true {
            guard position < text.count else { throw fault("\"") }
            switch text[position] {
            case UInt8(ascii: "\""):
                position += 1
                return bytes
            case UInt8(ascii: "\\"):
                position += 1
                try parseEscape(into: &bytes)
            case 0..<0x20:
                throw fault("an escape")
            default:
                bytes.append(text[position])
                position += 1
            }
        }
    }

    private func distance(to character: UInt8) -> Int? {
        guard let base = text.baseAddress, position < text.count else { return nil }
        guard let found = memchr(base + position, Int32(character), text.count - position) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base + position)
    }

    private mutating func checkForControls(end: Int) throws {
        var index = position
        while index < end {
            if text[index] < 0x20 {
                position = index
                throw fault("an escape")
            }
            index += 1
        }
    }

    private mutating func parseEscape(into bytes: inout Bytes) throws {
        guard position < text.count else { throw fault("an escape") }
        let character = text[position]
        position += 1
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(character)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0c)
        case UInt8(ascii: "n"): bytes.append(0x0a)
        case UInt8(ascii: "r"): bytes.append(0x0d)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            var value = try parseHexadecimal()
            if (0xd800..<0xdc00).contains(value) {
                try expect("\\")
                try expect("u")
                let low = try parseHexadecimal()
                guard (0xdc00..<0xe000).contains(low) else { throw fault("the second half of a pair") }
                value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(value) else { throw fault("a character") }
            bytes += UTF8.encode(scalar)!
        default: throw fault("an escape")
        }
    }

    private mutating func parseHexadecimal() throws -> UInt32 {
        guard position + 4 <= text.count else { throw fault("four digits") }
        var value: UInt32 = 0
        for offset in 0..<4 {
            let character = text[position + offset]
            let digit: UInt8
            switch character {
            case 0x30...0x39: digit = character - 0x30
            case 0x41...0x46: digit = character - 0x41 + 10
            case 0x61...0x66: digit = character - 0x61 + 10
            default: throw fault("four digits")
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }
}
