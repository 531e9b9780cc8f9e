public import RDBBytes
public import RDBModel

/// Decodes a value that is packed into one string, from a window that holds just that string.
@usableFromInline
protocol PackedDecoder {
    mutating func decode<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError)
}

/// A list of byte strings and integers packed into one string: ziplist or listpack. One walk, front to back; nothing in
/// it is trusted to point anywhere.
@usableFromInline
protocol PackedElements {
    /// Reads the head, which must agree with the bytes at hand.
    init(opening window: inout ByteWindow) throws(DecodeError)

    /// The count in the head; nil where only walking tells.
    var declaredCount: UInt64? { get }

    /// Whether the end byte comes next.
    func isAtEnd(_ window: inout ByteWindow) throws(DecodeError) -> Bool

    mutating func text<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, as role: TextRole, into visitor: inout V
    ) throws(DecodeError)

    /// An element that is a score: an integer, or the text of a number.
    mutating func score<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError) -> Double

    /// Reads the end byte and holds the head's count against the walk.
    mutating func close<V: ValueVisitor & ~Copyable>(
        _ window: inout ByteWindow, into visitor: inout V
    ) throws(DecodeError)
}

extension ValueVisitor where Self: ~Copyable {
    /// A fact that the rest does not depend on is wrong: told where structure is verified, thrown elsewhere.
    @inlinable
    mutating func disagree(_ error: DecodeError) throws(DecodeError) {
        if Self.verifiesStructure { fault(error) } else { throw error }
    }
}

extension RDBReader {
    /// Reads a string whose bytes `decoder` takes apart: where they lie in the window, in scratch memory when they are
    /// compressed, or through a small second window when they are compressed and large.
    @inlinable
    mutating func readPacked<D: PackedDecoder, V: ValueVisitor & ~Copyable>(
        _ decoder: inout D, into visitor: inout V
    ) throws(DecodeError) {
        let head = window.offset
        switch try window.stringForm() {
        case .plain(let count):
            let outer = try window.narrow(to: count)
            try decoder.decode(&window, into: &visitor)
            if !window.isAtLimit { throw Self.leftOver(window.location) }
            window.widen(to: outer)
        case .compressed(let compressed, let count):
            guard LZF.isSmall(compressedByteCount: compressed, byteCount: count) else {
                return try readCompressedLarge(compressed, count, with: &decoder, into: &visitor)
            }
            let start = window.offset
            try scratch.decompress(from: &window, compressedByteCount: Int(compressed), byteCount: Int(count))
            var inner = scratch.window(Int(count), container: start)
            try decoder.decode(&inner, into: &visitor)
            if inner.availableByteCount != 0 { throw Self.leftOver(inner.location) }
        case .integer(let value):
            throw DecodeError(
                .badString, at: window.location(at: head), expected: "a packed value", found: .number(value))
        }
    }

    @usableFromInline @inline(never)
    static func leftOver(_ location: ByteLocation) -> DecodeError {
        DecodeError(
            .trailingBytes, at: location, expected: "the end of the value", found: .described("more bytes"))
    }

    /// The decompressed bytes of a large LZF block pass through a window of 256 KiB; memory does not follow their count.
    @inlinable @inline(never)
    mutating func readCompressedLarge<D: PackedDecoder, V: ValueVisitor & ~Copyable>(
        _ compressed: UInt64, _ count: UInt64, with decoder: inout D, into visitor: inout V
    ) throws(DecodeError) {
        let outer = try window.narrow(to: compressed)
        let failure = unsafe withUnsafeMutablePointer(to: &window) { pointer -> DecodeError? in
            // Only the inner window uses the outer one until this closure ends.
            var inner = unsafe ByteWindow(lzfIn: pointer, compressedByteCount: compressed, byteCount: count)
            do throws(DecodeError) {
                let all = try inner.narrow(to: count)
                try decoder.decode(&inner, into: &visitor)
                if !inner.isAtLimit { throw Self.leftOver(inner.location) }
                inner.widen(to: all)
                if try !inner.isAtEnd() { throw Self.leftOver(inner.location) }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        if !window.isAtLimit { throw Self.leftOver(window.location) }
        window.widen(to: outer)
    }
}
