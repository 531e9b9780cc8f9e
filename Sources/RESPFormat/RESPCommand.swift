public import RDBBytes

// A command: an array of bulk strings, `*n CRLF`, then n times `$length CRLF bytes CRLF`. Servers, `redis-cli --pipe` and
// the AOF loader read the same form. Source: formats/aof.md §1.
extension OutputBuffer {
    /// The head of a command of `argumentCount` arguments, its name included.
    @inlinable
    public mutating func beginCommand(_ argumentCount: Int) {
        append(UInt8(ascii: "*"))
        append(decimal: Int64(argumentCount))
        append("\r\n")
    }

    @inlinable
    public mutating func appendArgument(_ bytes: RawSpan) {
        beginArgument(byteCount: UInt64(bytes.byteCount))
        append(bytes)
        append("\r\n")
    }

    /// What another buffer holds.
    public mutating func appendArgument(_ other: borrowing OutputBuffer) {
        beginArgument(byteCount: UInt64(other.byteCount))
        append(other, 0..<other.byteCount)
        append("\r\n")
    }

    /// The head of an argument whose bytes, and `CRLF`, the caller appends.
    @inlinable
    public mutating func beginArgument(byteCount: UInt64) {
        append(UInt8(ascii: "$"))
        append(decimal: byteCount)
        append("\r\n")
    }

    /// A word of the program, at most 32 bytes.
    public mutating func appendArgument(_ word: StaticString) {
        beginArgument(byteCount: UInt64(word.utf8CodeUnitCount))
        append(word)
        append("\r\n")
    }

    @_disfavoredOverload
    public mutating func appendArgument(_ text: String) {
        text.withRawSpan { appendArgument($0) }
    }

    /// A number as its decimal text.
    public mutating func appendArgument(decimal value: Int64) {
        let digits = Digits.byteCount(value)
        append(UInt8(ascii: "$"))
        append(decimal: Int64(digits))
        append("\r\n")
        append(decimal: value)
        append("\r\n")
    }
}
