import RDBBytes
import RDBFormat

/// The fields of one entry that is about to be added: its names and its values, each as strings of an RDB, one after
/// another. Memory that is used again for the next entry.
struct StreamFields: ~Copyable {
    private(set) var names = OutputBuffer(capacity: 256)
    private(set) var values = OutputBuffer(capacity: 256)
    private(set) var count = 0

    /// Servers refuse an entry of more text. Source: redis/redis src/t_stream.c, STREAM_LISTPACK_MAX_SIZE.
    static let maxByteCount = 1 << 30

    var byteCount: Int { names.byteCount + values.byteCount }

    mutating func begin() {
        names.truncate(to: 0)
        values.truncate(to: 0)
        names.shrink(to: 64 << 10)
        values.shrink(to: 64 << 10)
        count = 0
    }

    mutating func append(name: RawSpan) {
        names.append(text: name)
    }

    mutating func append(value: RawSpan) {
        values.append(text: value)
        count += 1
    }
}

/// An entry that is put together.
final class StreamDraft {
    var fields = StreamFields()
}

/// Walks strings that `OutputBuffer.append(text:)` wrote one after another.
struct PackedTextReader: ~Escapable {
    private let bytes: RawSpan
    private var offset: Int

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, from offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var isAtEnd: Bool { offset == bytes.byteCount }

    /// The next string. There must be one.
    @_lifetime(copy self)
    mutating func next() -> RawSpan {
        let first = bytes.byte(at: offset)
        var count = Int(first & 0x3f)
        offset += 1
        if first >= 0x40 {
            // Two bytes, four or eight, highest first: the forms of `append(length:)`.
            let more = first < 0x80 ? 1 : first == 0x80 ? 4 : 8
            if first >= 0x80 { count = 0 }
            for _ in 0..<more {
                count = count << 8 | Int(bytes.byte(at: offset))
                offset += 1
            }
        }
        let text = bytes.extracting(offset..<offset + count)
        offset += count
        return text
    }

    mutating func skip(_ count: Int) {
        for _ in 0..<count { _ = next() }
    }
}
