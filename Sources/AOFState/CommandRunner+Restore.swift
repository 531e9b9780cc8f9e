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
        guard let ttl = arguments.integer(2), ttl >= 0 else { return .refused }
        let value: KeyspaceValue
        switch PayloadContent(arguments[3]) {
        case .value(let found): value = found
        case .unknown: return .cannotRun
        case .damaged: return .refused
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

/// What a DUMP payload holds: `type byte, value, u16 version, u64 CRC-64`. A checksum of zero is none: Redis 8.10 writes
/// payloads so.
private enum PayloadContent {
    case value(KeyspaceValue)
    /// A value of a type that came after this release: the server that wrote the log may know it.
    case unknown
    case damaged

    init(_ payload: RawSpan) {
        self = .damaged
        let footer = RDBReader.payloadFooterByteCount
        guard payload.byteCount > footer else { return }
        let end = payload.byteCount - footer
        // Both lie within the payload, whose length was checked.
        let number = Int(UInt16(littleEndian: unsafe payload.unsafeLoadUnaligned(fromByteOffset: end, as: UInt16.self)))
        let stored = UInt64(
            littleEndian: unsafe payload.unsafeLoadUnaligned(fromByteOffset: end + 2, as: UInt64.self))
        if stored != 0 {
            var crc = CRC64()
            crc.update(payload.extracting(0..<end + 2))
            if crc.value != stored { return }
        }
        let version = RDBVersion(number: number, family: number >= 80 ? .valkey : .redis)
        guard let type = RDBType(byte: payload.byte(at: 0), version: version) else {
            self = .unknown
            return
        }
        if !type.isRestorable { return }
        let header = EntryHeader(encoding: type.encoding, typeByte: payload.byte(at: 0))
        let value = payload.extracting(1..<end)
        let decoded = RDBReader.withEntry(header, type, of: version, key: RawSpan(), value: value) { reader in
            let value = try? KeyspaceValue(&reader)
            // A value that ends before its payload is damaged.
            return reader.offset == UInt64(end - 1) ? value : nil
        }
        if let decoded { self = .value(decoded) }
    }
}
