import RDBBytes
import RDBFormat
import RDBModel
import RESPFormat

// Source: formats/commands.md A.4, formats/encodings.md §13.
extension CommandRunner {
    /// `RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME s] [FREQ n]`
    func restore(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 4 else { return .wrongArgumentCount }
        var replaces = false
        var isAbsolute = false
        var index = 4
        while index < arguments.count {
            if arguments.matches(index, "replace") {
                replaces = true
            } else if arguments.matches(index, "absttl") {
                isAbsolute = true
            } else if arguments.matches(index, "idletime") || arguments.matches(index, "freq") {
                guard let number = arguments.integer(index + 1), number >= 0 else { return .refused }
                index += 1
            } else {
                return .refused
            }
            index += 1
        }
        if !replaces, database.entries.contains(arguments[1]) { return .refused }
        guard let ttl = arguments.integer(2), ttl >= 0, let value = KeyspaceValue(payload: arguments[3]) else {
            return .refused
        }
        var expiresAt = KeyspaceEntry.never
        if ttl > 0 {
            let (sum, overflow) = ttl.addingReportingOverflow(isAbsolute ? 0 : now)
            if overflow { return .refused }
            expiresAt = sum
        }
        replace(arguments[1], value, expiresAt: expiresAt)
        return .applied
    }
}

extension KeyspaceValue {
    /// The value of a DUMP payload: `type byte, value, u16 version, u64 CRC-64`; nil where it is none. A checksum of zero
    /// is none: Redis 8.10 writes payloads so.
    init?(payload: RawSpan) {
        let footer = RDBReader.payloadFooterByteCount
        guard payload.byteCount > footer else { return nil }
        let end = payload.byteCount - footer
        // Both lie within the payload, whose length was checked.
        let number = Int(UInt16(littleEndian: unsafe payload.unsafeLoadUnaligned(fromByteOffset: end, as: UInt16.self)))
        let stored = UInt64(
            littleEndian: unsafe payload.unsafeLoadUnaligned(fromByteOffset: end + 2, as: UInt64.self))
        if stored != 0 {
            var crc = CRC64()
            crc.update(payload.extracting(0..<end + 2))
            if crc.value != stored { return nil }
        }
        let version = RDBVersion(number: number, family: number >= 80 ? .valkey : .redis)
        guard let type = RDBType(byte: payload.byte(at: 0), version: version), type.isRestorable else { return nil }
        var batch = EntryBatch()
        let header = EntryHeader(encoding: type.encoding, typeByte: payload.byte(at: 0))
        batch.append(header, type, key: RawSpan(), value: payload.extracting(1..<end))
        var reader = RDBReader(of: version)
        batch.prepare(&reader)
        batch.place(&reader, at: 0)
        do throws(DecodeError) {
            self = try KeyspaceValue(&reader)
            // A value that ends before its payload is damaged.
            if reader.offset != UInt64(end - 1) { return nil }
        } catch { return nil }
    }
}
