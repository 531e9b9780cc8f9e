public import RDBBytes
public import RDBModel

// Entries read again, apart from the file that they stand in.
extension RDBReader {
    /// A reader of single entries of the same file, which knows the file's hash templates. It stands nowhere until `stand`
    /// is called.
    public func detached() -> RDBReader {
        var reader = RDBReader(of: version)
        reader.templates = templates
        return reader
    }

    /// Makes the reader stand at an entry, its value held, as if it had come to it in the file. Offsets count from the
    /// value's first byte.
    /// - Parameters:
    ///   - header: as it was read; its encoding and offsets are made anew.
    ///   - value: delivers the value, from its first byte on.
    public mutating func stand(
        at header: EntryHeader, _ type: RDBType, key: RawSpan, value: any ByteSource, byteCount: UInt64
    ) throws(DecodeError) {
        self.header = header
        self.header.startOffset = 0
        self.header.typeOffset = 0
        self.header.valueOffset = 0
        self.header.type = type.valueType
        self.header.encoding = type.encoding
        self.header.hasFieldExpiries = type.hasFieldExpiries
        self.type = type
        keyBuffer.truncate(to: 0)
        keyBuffer.shrink(to: 64 << 10)
        keyBuffer.append(key)
        window = ByteWindow(value, initialByteCount: Int(min(max(64, byteCount), 256 << 10)))
        if type == .string { self.header.encoding = Self.stringEncoding(try window.peek()) }
        holdValue()
    }

    /// Hands over the bytes of the value that was just stepped over, and that is held.
    public mutating func readValueBytes(
        byteCount: UInt64, _ body: (RawSpan) -> Void
    ) throws(DecodeError) {
        try rewindToValue()
        var left = byteCount
        while left > 0 {
            let chunk = try window.takeChunk(upTo: left)
            left -= UInt64(chunk.byteCount)
            body(chunk)
        }
    }

    /// Has a reader stand at an entry in memory, as that of a `DUMP` payload, whose value it can rewind to.
    /// - Parameters:
    ///   - header: what is known of the entry. The value's type is made anew.
    ///   - value: as it stands in a payload, behind the type byte.
    public static func withEntry<R: ~Copyable, E: Error>(
        _ header: EntryHeader, _ type: RDBType, of version: RDBVersion, key: RawSpan, value: RawSpan,
        _ body: (inout RDBReader) throws(E) -> R
    ) throws(E) -> R {
        try unsafe value.withUnsafeBytes { bytes throws(E) in
            var reader = RDBReader(of: version)
            reader.header = header
            reader.header.type = type.valueType
            reader.header.hasFieldExpiries = type.hasFieldExpiries
            reader.type = type
            reader.keyBuffer.append(key)
            // The bytes stay where they are until the closure returns, and the reader ends before.
            unsafe reader.window = ByteWindow(unsafeBytes: bytes, offset: header.valueOffset)
            return try body(&reader)
        }
    }
}
