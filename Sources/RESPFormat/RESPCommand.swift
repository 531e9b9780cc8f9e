public import RDBBytes

// A command: an array of bulk strings, `*n CRLF`, then n times `$length CRLF bytes CRLF`. Servers, `redis-cli --pipe` and
// the AOF loader read the same form. Source: formats/aof.md §1.
extension OutputBuffer {
    /// The head of a command of `argumentCount` arguments, its name included.
    @inlinable
    public mutating func beginCommand(_ argumentCount: Int) {
        appendHead(UInt8(ascii: "*"), UInt64(argumentCount))
    }

    @inlinable
    public mutating func appendArgument(_ bytes: RawSpan) {
        let count = UInt64(bytes.byteCount)
        if count < ArgumentHead.limit {
            let head = ArgumentHead(UInt8(ascii: "$"), count)
            append(lowBytesOf: head.word, head.byteCount, bytes, tail: ArgumentHead.lineEnd)
        } else {
            beginArgument(byteCount: count)
            append(bytes)
            append("\r\n")
        }
    }

    /// What another buffer holds.
    public mutating func appendArgument(_ other: borrowing OutputBuffer) { appendArgument(other.bytes) }

    /// The head of an argument whose bytes, and `CRLF`, the caller appends.
    @inlinable
    public mutating func beginArgument(byteCount: UInt64) {
        appendHead(UInt8(ascii: "$"), byteCount)
    }

    /// A word of the program, at most 32 bytes.
    public mutating func appendArgument(_ word: StaticString) {
        appendHead(UInt8(ascii: "$"), UInt64(word.utf8CodeUnitCount))
        append(word)
        append("\r\n")
    }

    @_disfavoredOverload
    public mutating func appendArgument(_ text: String) {
        text.withRawSpan { appendArgument($0) }
    }

    /// A number as its decimal text.
    public mutating func appendArgument(decimal value: Int64) {
        appendHead(UInt8(ascii: "$"), UInt64(Digits.byteCount(value)))
        append(decimal: value)
        append("\r\n")
    }

    @inlinable @inline(__always)
    mutating func appendHead(_ mark: UInt8, _ count: UInt64) {
        if count < ArgumentHead.limit {
            let head = ArgumentHead(mark, count)
            append(lowBytesOf: head.word, head.byteCount)
        } else {
            appendWideHead(mark, count)
        }
    }

    @inline(never) @usableFromInline
    mutating func appendWideHead(_ mark: UInt8, _ count: UInt64) {
        append(mark)
        append(decimal: count)
        append("\r\n")
    }
}

/// A mark, a count and `CRLF` in one word, the first byte lowest.
@usableFromInline
struct ArgumentHead {
    @usableFromInline let word: UInt64
    @usableFromInline let byteCount: Int

    /// Counts from here on have six digits, with which the head has nine bytes.
    @inlinable static var limit: UInt64 { 100_000 }
    @inlinable static var lineEnd: UInt16 { 0x0a0d }

    @inlinable @inline(__always)
    init(_ mark: UInt8, _ count: UInt64) {
        if count < 100 {
            // Both digits, of which the first is dropped where it is none: no branch between lengths below and from ten on.
            let isShort: UInt64 = count < 10 ? 1 : 0
            let digits = count / 10 | (count % 10) << 8 | 0x3030
            word = ((digits | UInt64(Self.lineEnd) << 16) >> (isShort * 8)) << 8 | UInt64(mark)
            byteCount = 5 - Int(isShort)
        } else {
            self = Self.wide(mark, count)
        }
    }

    @usableFromInline
    init(word: UInt64, byteCount: Int) {
        self.word = word
        self.byteCount = byteCount
    }

    @inline(never) @usableFromInline
    static func wide(_ mark: UInt8, _ count: UInt64) -> ArgumentHead {
        var text = UInt64(Self.lineEnd)
        var byteCount = 3
        var rest = count
        while rest > 0 {
            text = text << 8 | rest % 10 | 0x30
            rest /= 10
            byteCount += 1
        }
        return ArgumentHead(word: text << 8 | UInt64(mark), byteCount: byteCount)
    }
}
