import RDBBytes
import RDBFormat
import RDBModel

/// Builds a value from the events of an RDB's entry. Every text comes as one `text(_:as:)`: numbers as their decimal text,
/// long ones joined.
protocol ValueLoader: ValueVisitor {
    init()

    /// What the pieces of a long text are joined in.
    var joined: [UInt8] { get set }

    /// The value, after its events.
    var value: KeyspaceValue { get }

    /// Whether something was left out that is larger than any server's.
    var isTooLarge: Bool { get }
}

extension ValueLoader {
    var isTooLarge: Bool { false }

    mutating func integer(_ value: Int64, as role: TextRole) {
        String(value).withRawSpan { text($0, as: role) }
    }

    mutating func beginLargeText(byteCount: UInt64, as role: TextRole) { joined = [] }

    mutating func largeTextChunk(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe joined.append(contentsOf: $0) }
    }

    mutating func endLargeText(as role: TextRole) {
        let whole = joined
        joined = []
        text(whole.rawSpan, as: role)
    }
}

struct StringLoader: ValueLoader {
    var joined: [UInt8] = []
    private var bytes: [UInt8] = []

    var value: KeyspaceValue { .string(bytes) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) { self.bytes = bytes.array }
}

extension KeyspaceValue {
    /// Reads the value of the entry that the reader stands at.
    init(_ reader: inout RDBReader) throws(DecodeError) {
        switch reader.header.type {
        case .string: self = try Self.load(&reader, StringLoader.self)
        case .list: self = try Self.load(&reader, ListLoader.self)
        case .set: self = try Self.load(&reader, SetLoader.self)
        case .zset: self = try Self.load(&reader, SortedSetLoader.self)
        case .hash: self = try Self.load(&reader, HashLoader.self)
        case .stream: self = try Self.load(&reader, StreamLoader.self)
        case .array: self = try Self.load(&reader, ArrayLoader.self)
        case .pathHash: self = try Self.load(&reader, PathHashLoader.self)
        case .module, .gcra, .hll, .cron: self = try Self.carry(&reader)
        }
    }

    private static func load<L: ValueLoader>(
        _ reader: inout RDBReader, _: L.Type
    ) throws(DecodeError) -> KeyspaceValue {
        var loader = L()
        try reader.readValue(into: &loader)
        if loader.isTooLarge {
            throw DecodeError(
                .limitExceeded, at: ByteLocation(offset: reader.header.valueOffset),
                expected: "entries of a stream of at most 1 GiB",
                found: .described("a longer one"))
        }
        return loader.value
    }

    private static func carry(_ reader: inout RDBReader) throws(DecodeError) -> KeyspaceValue {
        var bytes = PayloadBytes()
        reader.holdValue()
        try reader.skipValue()
        let byteCount = reader.offset - reader.header.valueOffset
        try reader.rewindToValue()
        try reader.readPayload(valueByteCount: byteCount, into: &bytes)
        reader.releaseValue()
        // The type byte stands before the value, the footer behind it.
        let value = bytes.bytes.dropFirst().dropLast(RDBReader.payloadFooterByteCount)
        return .opaque(OpaqueValue(typeByte: reader.header.typeByte, version: reader.version, bytes: Array(value)))
    }
}

private struct PayloadBytes: PayloadTaker {
    var bytes: [UInt8] = []

    mutating func appendPayload(_ piece: RawSpan) {
        unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }
}
