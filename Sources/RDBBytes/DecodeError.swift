/// What is wrong with the bytes of an input, and where.
///
/// Decoding throws nothing else. The error holds plain numbers only; text is made when it is printed. Whoever knows
/// the key, the database or the file adds them on the way up, nobody replaces the offset.
public struct DecodeError: Error, Equatable, Sendable {
    public enum Code: String, Sendable, CaseIterable {
        case truncated, badMagic, unsupportedVersion, unsupportedInput
        case badLength, badString, badLZF, badGzip, badLZ4
        case badIntset, badZiplist, badListpack, badQuicklist
        case badScore, badExpiry, badStream, badArray, badHashTemplate, badModule, badPathHash
        case oddElements, emptyCollection, duplicate, badOrder, countMismatch
        case unknownOpcode, unknownType
        case badCommand, badTransaction, badManifest
        case checksumMismatch, trailingBytes, limitExceeded
        case readFailed, interrupted
    }

    /// How `found` reads best.
    public enum Found: Equatable, Sendable {
        case byte(UInt8)
        case number(Int64)
        case unsigned(UInt64)
        case hex(UInt64)
        case endOfInput
        case endOfValue
        case described(StaticString)

        public static func == (left: Found, right: Found) -> Bool { left.text == right.text }
    }

    public var code: Code
    /// Bytes from the start of the (decompressed) input.
    public var offset: UInt64
    /// Where the fault lies inside an LZF block that starts at `offset`: bytes into the decompressed value.
    public var innerOffset: UInt64?
    public var expected: StaticString
    public var found: Found

    @inline(never)
    public init(
        _ code: Code, at location: ByteLocation, expected: StaticString, found: Found
    ) {
        self.code = code
        self.offset = location.offset
        self.innerOffset = location.innerOffset
        self.expected = expected
        self.found = found
    }

    public static func == (left: DecodeError, right: DecodeError) -> Bool {
        left.code == right.code && left.offset == right.offset && left.innerOffset == right.innerOffset
            && left.expected.description == right.expected.description && left.found == right.found
    }

    /// Whether the bytes are at fault, not the reading of them (an I/O error, a request to stop).
    public var isAboutInput: Bool { code != .readFailed && code != .interrupted }
}

/// A place in an input: an offset, and for a byte of a decompressed LZF block the offset within that block.
public struct ByteLocation: Equatable, Sendable {
    public var offset: UInt64
    public var innerOffset: UInt64?

    public init(offset: UInt64, innerOffset: UInt64? = nil) {
        self.offset = offset
        self.innerOffset = innerOffset
    }
}

extension DecodeError.Found {
    public var text: String {
        switch self {
        case .byte(let value): "0x" + hexDigits(UInt64(value), width: 2)
        case .number(let value): String(value)
        case .unsigned(let value): String(value)
        case .hex(let value): "0x" + hexDigits(value, width: 16)
        case .endOfInput: "the end of the input"
        case .endOfValue: "the end of the value"
        case .described(let words): words.description
        }
    }
}

extension DecodeError: CustomStringConvertible {
    /// The fault in words, without the place: `bad listpack: expected end byte 0xff, found 0x00`.
    public var message: String { "\(code.words): expected \(expected), found \(found.text)" }

    /// `byte 10482`, or `byte 10482 (+17 decompressed)`.
    public var place: String {
        innerOffset.map { "byte \(offset) (+\($0) decompressed)" } ?? "byte \(offset)"
    }

    public var description: String { "\(place): \(message)" }
}

extension DecodeError.Code {
    /// `badListpack` as `bad listpack`, abbreviations kept.
    public var words: String {
        switch self {
        case .badLZF: return "bad LZF block"
        case .badLZ4: return "bad LZ4 frame"
        case .badMagic: return "not an RDB file"
        case .readFailed: return "cannot read"
        default: break
        }
        var words = ""
        for character in rawValue {
            if character.isUppercase { words += " " }
            words += character.lowercased()
        }
        return words
    }
}

func hexDigits(_ value: UInt64, width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
