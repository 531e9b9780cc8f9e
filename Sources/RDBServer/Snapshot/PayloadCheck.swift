import RDBKit

/// Takes a `DUMP` payload apart and looks whether it is one: nothing of it would show where the next entry begins if it
/// lied about its own end.
struct PayloadCheck {
    /// Of the file that the value will stand in.
    let version: RDBVersion

    enum Fault: Error, Equatable {
        case tooShort
        case badChecksum
        case unknownType(UInt8)
        case malformed(DecodeError)
        /// Bytes that do not belong to the value stand behind it.
        case trailingBytes

        var message: String {
            switch self {
            case .tooShort: "a payload without version and checksum"
            case .badChecksum: "a payload with a wrong checksum"
            case .unknownType(let byte): "a payload of type byte \(byte), which this release does not know"
            case .malformed(let error): "a malformed payload: \(error.message)"
            case .trailingBytes: "a payload with more behind its value"
            }
        }
    }

    /// - Returns: where the value stands in the payload, behind its type byte.
    func valueRange(of payload: [UInt8]) throws(Fault) -> Range<Int> {
        // A type byte, and at least one byte of value.
        guard payload.count >= RDBReader.payloadFooterByteCount + 2 else { throw .tooShort }
        let end = payload.count - RDBReader.payloadFooterByteCount
        var stored: UInt64 = 0
        for index in 0..<8 { stored |= UInt64(payload[end + 2 + index]) << UInt64(8 * index) }
        // 0 is none: servers can be told to save the work.
        if stored != 0 {
            var crc = CRC64()
            crc.update(payload.rawSpan.extracting(0..<end + 2))
            guard crc.value == stored else { throw .badChecksum }
        }
        guard let type = RDBType(byte: payload[0], version: version) else { throw .unknownType(payload[0]) }
        return try RDBReader.withEntry(
            EntryHeader(), type, of: version, key: RawSpan(), value: payload.rawSpan.extracting(1..<end)
        ) { reader throws(Fault) in
            do throws(DecodeError) { try reader.skipValue() } catch { throw .malformed(error) }
            guard reader.offset == UInt64(end - 1) else { throw .trailingBytes }
            return 1..<end
        }
    }
}
