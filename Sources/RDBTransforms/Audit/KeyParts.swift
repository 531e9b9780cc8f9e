import RDBBytes

/// How keys are divided into parts, which make up a tree of prefixes.
public enum KeyDivision: Equatable, Sendable {
    /// Parts end where keys like these mostly do: at `:`, `/` and `|`, in a key without those at `.`, `-` and `_`. What
    /// tells one thing from the next of its kind becomes `*`: numbers, UUIDs, hashes, dates, random IDs.
    case found
    /// Parts end with this text, which is not empty; the first `depth` of them count, as they are.
    case literal(delimiter: [UInt8], depth: Int)
}

/// The parts of one key after another, in memory that is used again.
///
/// | key | parts |
/// | --- | --- |
/// | `user:123:cart` | `user:` `*:` `cart` |
/// | `session:9f86d081884c7d65` | `session:` `*` |
/// | `img/2024-01-31/thumb_17.png` | `img/` `*/` `thumb_*.png` |
/// | `{user:77}.followers` | `{user:` `*}.followers` |
/// | `v1:item42` | `v1:` `item*` |
public struct KeyParts: Sendable {
    /// Deeper parts belong to the last one.
    public static let maxCount = 8
    /// Of longer keys the rest is not looked at.
    public static let maxByteCount = 256

    private let division: KeyDivision
    /// The parts' bytes, one behind the other.
    public private(set) var bytes: [UInt8] = []
    /// Where each part ends.
    public private(set) var ends: [Int] = []

    static let star = UInt8(ascii: "*")

    public init(_ division: KeyDivision) {
        self.division = division
        bytes.reserveCapacity(Self.maxByteCount + 1)
        ends.reserveCapacity(Self.maxCount)
    }

    public mutating func divide(_ key: RawSpan) {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        switch division {
        case .found:
            fold(key.extracting(0..<min(key.byteCount, Self.maxByteCount)))
            // What follows makes no other group.
            if key.byteCount > Self.maxByteCount, bytes.last != Self.star { bytes.append(Self.star) }
            divideFolded()
        case .literal(let delimiter, let depth): divide(key, at: delimiter, depth)
        }
    }

    private mutating func divide(_ key: RawSpan, at delimiter: [UInt8], _ depth: Int) {
        var index = 0
        let last = min(key.byteCount, Self.maxByteCount) - delimiter.count
        var start = 0
        while index <= last, ends.count < min(depth, Self.maxCount) {
            var offset = 0
            while offset < delimiter.count, key.byte(at: index + offset) == delimiter[offset] { offset += 1 }
            if offset < delimiter.count {
                index += 1
                continue
            }
            index += delimiter.count
            for position in start..<index { bytes.append(key.byte(at: position)) }
            start = index
            ends.append(bytes.count)
        }
    }

    /// Divides the folded bytes.
    private mutating func divideFolded() {
        var hasFirst = false
        for byte in bytes where Self.isFirstDelimiter(byte) {
            hasFirst = true
            break
        }
        for index in bytes.indices {
            let byte = bytes[index]
            guard hasFirst ? Self.isFirstDelimiter(byte) : Self.isSecondDelimiter(byte) else { continue }
            // Several in a row end one part.
            if index + 1 < bytes.count, bytes[index + 1] == byte { continue }
            if ends.count == Self.maxCount - 1 { break }
            ends.append(index + 1)
        }
        if ends.last ?? 0 < bytes.count { ends.append(bytes.count) }
    }

    private static func isFirstDelimiter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "|")
    }

    private static func isSecondDelimiter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    // MARK: - Folding

    /// What a byte is within a word, one bit each.
    private enum Class {
        static let digit: UInt8 = 1
        static let lower: UInt8 = 2
        static let upper: UInt8 = 4
        /// Hexadecimal digits that are letters, besides their case.
        static let hex: UInt8 = 8
        /// Part of a character that is not ASCII.
        static let high: UInt8 = 16
        static let control: UInt8 = 32
        static let word: UInt8 = 63
    }

    private static let classes: InlineArray<256, UInt8> = {
        var table = InlineArray<256, UInt8>(repeating: 0)
        for byte in 0..<256 {
            switch UInt8(byte) {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): table[byte] = Class.digit
            case UInt8(ascii: "a")...UInt8(ascii: "f"): table[byte] = Class.lower | Class.hex
            case UInt8(ascii: "A")...UInt8(ascii: "F"): table[byte] = Class.upper | Class.hex
            case UInt8(ascii: "g")...UInt8(ascii: "z"): table[byte] = Class.lower
            case UInt8(ascii: "G")...UInt8(ascii: "Z"): table[byte] = Class.upper
            case 0x80...: table[byte] = Class.high
            case 0..<0x20, 0x7f: table[byte] = Class.control
            default: break
            }
        }
        return table
    }()

    private mutating func fold(_ key: RawSpan) {
        var index = 0
        let count = key.byteCount
        while index < count {
            let byte = key.byte(at: index)
            if Self.classes[Int(byte)] == 0 {
                bytes.append(byte)
                index += 1
                continue
            }
            if count - index >= 36, Self.isUUID(key, at: index) {
                appendStar()
                index += 36
                continue
            }
            index = foldWord(key, from: index)
        }
    }

    /// Folds the word that begins at `start` and returns where it ends.
    private mutating func foldWord(_ key: RawSpan, from start: Int) -> Int {
        var end = start
        var seen: UInt8 = 0
        var letters = 0
        var nonHexLetters = 0
        var digitRuns = 0
        var previous: UInt8 = 0
        while end < key.byteCount {
            let kind = Self.classes[Int(key.byte(at: end))]
            if kind == 0 { break }
            seen |= kind
            if kind & Class.digit != 0 {
                if previous & Class.digit == 0 { digitRuns += 1 }
            } else {
                letters += 1
                if kind & Class.hex == 0 { nonHexLetters += 1 }
            }
            previous = kind
            end += 1
        }
        let count = end - start
        if seen & Class.digit == 0 {
            // A word. Bytes that are no text tell nothing.
            if seen & Class.control != 0 || seen & Class.high != 0 && !Self.isUTF8(key, start..<end) {
                appendStar()
            } else {
                for index in start..<end { bytes.append(key.byte(at: index)) }
            }
            return end
        }
        let isOneCase = seen & (Class.lower | Class.upper) != Class.lower | Class.upper
        let isHex = nonHexLetters == 0 && isOneCase && count >= 8
        let isRandom = count >= 16 || count >= 8 && digitRuns >= 3
        // A time such as 31T12 or 0830Z.
        let isTime = letters <= 2 && count - letters >= 3 && Self.classes[Int(key.byte(at: start))] & Class.digit != 0
        if letters == 0 || isHex || isRandom || isTime || seen & Class.control != 0
            || seen & Class.high != 0 && !Self.isUTF8(key, start..<end)
        {
            appendStar()
            return end
        }
        foldNumbers(key, start..<end, letters: letters)
        return end
    }

    /// Numbers in a name such as `item42`. Those of a name such as `v1` or `s3` belong to it.
    private mutating func foldNumbers(_ key: RawSpan, _ word: Range<Int>, letters: Int) {
        var index = word.lowerBound
        while index < word.upperBound {
            let byte = key.byte(at: index)
            guard Self.classes[Int(byte)] & Class.digit != 0 else {
                bytes.append(byte)
                index += 1
                continue
            }
            var end = index + 1
            while end < word.upperBound, Self.classes[Int(key.byte(at: end))] & Class.digit != 0 { end += 1 }
            if end - index == 1, letters <= 2 { bytes.append(byte) } else { appendStar() }
            index = end
        }
    }

    /// A star that follows another, with at most a mark between them, is the same one: a date, an address, a UUID of
    /// another form.
    private mutating func appendStar() {
        if bytes.last == Self.star { return }
        if bytes.count >= 2, bytes[bytes.count - 2] == Self.star {
            switch bytes[bytes.count - 1] {
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "+"),
                UInt8(ascii: "="), UInt8(ascii: "~"):
                bytes.removeLast()
                return
            default: break
            }
        }
        bytes.append(Self.star)
    }

    /// 8-4-4-4-12 hexadecimal digits, and no digit behind them.
    private static func isUUID(_ key: RawSpan, at start: Int) -> Bool {
        for offset in 0..<36 {
            let byte = key.byte(at: start + offset)
            if offset == 8 || offset == 13 || offset == 18 || offset == 23 {
                if byte != UInt8(ascii: "-") { return false }
            } else if classes[Int(byte)] & (Class.digit | Class.hex) == 0 {
                return false
            }
        }
        return start + 36 == key.byteCount || classes[Int(key.byte(at: start + 36))] == 0
    }

    /// Whether the bytes are characters of UTF-8: leading and following bytes in order. A cut at the end is none.
    private static func isUTF8(_ key: RawSpan, _ range: Range<Int>) -> Bool {
        var missing = 0
        for index in range {
            let byte = key.byte(at: index)
            if missing > 0 {
                guard byte & 0xc0 == 0x80 else { return false }
                missing -= 1
            } else if byte >= 0x80 {
                switch byte {
                case 0xc2...0xdf: missing = 1
                case 0xe0...0xef: missing = 2
                case 0xf0...0xf4: missing = 3
                default: return false
                }
            }
        }
        return missing == 0
    }
}
