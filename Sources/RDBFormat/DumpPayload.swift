public import RDBBytes
public import RDBModel

// A DUMP payload, as RESTORE takes it: `type byte, value, u16 version, u64 CRC-64 of all before`, little endian. The value
// stands there as in a file, so nothing is encoded anew. Source: formats/encodings.md §13.
extension RDBReader {
    /// Version and checksum.
    public static var payloadFooterByteCount: Int { 10 }

    /// The length of the payload of the entry whose value was just read or skipped.
    public var payloadByteCount: UInt64 { offset - header.valueOffset + 1 + UInt64(Self.payloadFooterByteCount) }

    /// Appends the payload of the entry whose value was just read or skipped.
    /// - Returns: false where the value is no longer at hand as a whole; `rewindToValue` and `readPayload` bring it.
    public func appendPayload(to out: inout OutputBuffer) -> Bool {
        let value = header.valueOffset..<offset
        if value.count > ByteWindow.maxContiguousByteCount { return false }
        let start = out.byteCount
        out.append(header.typeByte)
        guard window.copy(value, to: &out) else {
            out.truncate(to: start)
            return false
        }
        var crc = CRC64()
        crc.update(out.bytes.extracting(start..<out.byteCount))
        Self.append(footer: type.payloadVersion(writtenBy: version), &crc, to: &out)
        return true
    }

    /// Which module's value the reader stands at, and holds; it stands there afterwards as well.
    public mutating func moduleID() throws(DecodeError) -> ModuleID {
        let id = ModuleID(rawValue: try window.length())
        try rewindToValue()
        return id
    }

    /// Hands over the payload in pieces, from a reader that stands at a value whose end is known.
    /// - Parameter valueByteCount: the value's length.
    public mutating func readPayload<T: PayloadTaker & ~Copyable>(
        valueByteCount: UInt64, into taker: inout T
    ) throws(DecodeError) {
        var crc = CRC64()
        var ends = OutputBuffer(capacity: 64)
        ends.append(header.typeByte)
        crc.update(ends.bytes)
        taker.appendPayload(ends.bytes)
        var left = valueByteCount
        while left > 0 {
            let chunk = try window.takeChunk(upTo: left)
            left -= UInt64(chunk.byteCount)
            crc.update(chunk)
            taker.appendPayload(chunk)
        }
        ends.truncate(to: 0)
        Self.append(footer: type.payloadVersion(writtenBy: version), &crc, to: &ends)
        taker.appendPayload(ends.bytes)
    }

    private static func append(footer version: UInt16, _ crc: inout CRC64, to out: inout OutputBuffer) {
        let start = out.byteCount
        out.append(littleEndian: version)
        crc.update(out.bytes.extracting(start..<out.byteCount))
        out.append(littleEndian: crc.value)
    }
}

/// Takes a payload in pieces.
public protocol PayloadTaker: ~Copyable {
    mutating func appendPayload(_ piece: RawSpan)
}
