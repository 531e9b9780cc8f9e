import RDBBytes
public import RESPFormat

/// The name of a command in upper case, up to 32 bytes: longer than any that a server or a module of theirs has.
public struct CommandName: Hashable, Sendable {
    private var words: InlineWords = .init()

    private struct InlineWords: Hashable, Sendable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var fourth: UInt64 = 0
    }

    public static let maxByteCount = 32

    /// nil where it is longer, empty, or has a zero byte.
    public init?(_ bytes: RawSpan) {
        let count = bytes.byteCount
        guard count > 0, count <= Self.maxByteCount else { return nil }
        var index = 0
        var hasZero = false
        func word() -> UInt64 {
            var word: UInt64 = 0
            var shift: UInt64 = 0
            while shift < 64, index < count {
                let byte = bytes.byte(at: index)
                if byte == 0 { hasZero = true }
                word |= UInt64(byte &- 0x61 < 26 ? byte & 0xdf : byte) << shift
                shift += 8
                index += 1
            }
            return word
        }
        words.first = word()
        if index < count { words.second = word() }
        if index < count { words.third = word() }
        if index < count { words.fourth = word() }
        if hasZero { return nil }
    }

    public init?(_ text: String) {
        var name: CommandName?
        text.withRawSpan { name = CommandName($0) }
        guard let name else { return nil }
        self = name
    }

    /// All of its bytes in one word, for tables.
    package var folded: UInt64 {
        words.first ^ words.second &* 3 ^ words.third &* 5 ^ words.fourth &* 7
    }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for word in [words.first, words.second, words.third, words.fourth] {
            var rest = word
            while rest != 0 {
                bytes.append(UInt8(truncatingIfNeeded: rest))
                rest >>= 8
            }
        }
        return bytes
    }
}

extension CommandName: CustomStringConvertible {
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension CommandArguments {
    /// nil where it is no name that a server could have.
    public var name: CommandName? { count > 0 ? CommandName(self[0]) : nil }
}
