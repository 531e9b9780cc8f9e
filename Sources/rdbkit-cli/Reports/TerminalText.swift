import RDBKit

/// Bytes for people: what a terminal shows as it is stays, the rest is escaped, so that no key can move a cursor.
enum TerminalText {
    /// In quotes; cut behind about `limit` bytes, with what is left out told.
    static func quoted(_ bytes: [UInt8], byteCount: UInt64? = nil, limit: Int = 120) -> String {
        let total = byteCount ?? UInt64(bytes.count)
        let isCut = total > UInt64(limit)
        var shown = bytes.prefix(limit)
        // Not in the middle of a character.
        if isCut { while let last = shown.last, last & 0xc0 == 0x80, shown.count > limit - 4 { shown.removeLast() } }
        if isCut, let last = shown.last, last >= 0xc0 { shown.removeLast() }
        var text = "\""
        var index = shown.startIndex
        while index < shown.endIndex {
            let byte = shown[index]
            if byte < 0x80 {
                text += escaped(byte)
                index += 1
            } else if let (scalar, count) = character(shown[index...]) {
                // C1 controls, and what reorders the text around it.
                if (0x80..<0xa0).contains(scalar.value) || isFormatting(scalar) {
                    for byte in shown[index..<index + count] { text += hex(byte) }
                } else {
                    text.unicodeScalars.append(scalar)
                }
                index += count
            } else {
                text += hex(byte)
                index += 1
            }
        }
        return isCut ? text + "\"… (\(total) bytes)" : text + "\""
    }

    /// Without quotes.
    static func plain(_ text: String) -> String { String(quoted(Array(text.utf8)).dropFirst().dropLast()) }

    static func quoted(_ text: StoredText, limit: Int = 120) -> String {
        // What cannot be read back shows at the next pass over it.
        quoted((try? text.prefix(limit)) ?? [], byteCount: text.byteCount, limit: limit)
    }

    private static func escaped(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\""): "\\\""
        case UInt8(ascii: "\\"): "\\\\"
        case 0x0a: "\\n"
        case 0x0d: "\\r"
        case 0x09: "\\t"
        case 0x20..<0x7f: String(UnicodeScalar(byte))
        default: hex(byte)
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = Array("0123456789abcdef")
        return "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }

    private static func isFormatting(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        default: false
        }
    }

    /// The character that bytes begin with, and its length.
    private static func character(_ bytes: ArraySlice<UInt8>) -> (UnicodeScalar, Int)? {
        guard let first = bytes.first else { return nil }
        let count =
            switch first {
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 0
            }
        guard count > 0, bytes.count >= count else { return nil }
        var decoder = UTF8()
        var iterator = bytes.prefix(count).makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        return (scalar, count)
    }
}
