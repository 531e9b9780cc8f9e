import RDBBytes
import RDBFormat

extension KeyspaceValue {
    /// The layout in which a server of a version would save it; nil where none can.
    func layout(in version: RDBVersion) -> RDBType? {
        switch self {
        case .string: .string
        case .list(let value): value.layout(version.family)
        case .set(let value): value.layout(version.family)
        case .sortedSet(let value): value.layout(version.family)
        case .hash(let value): version.family == .redis && value.isBeyondRedis ? nil : value.layout(version.family)
        case .stream(let value): value.layout(in: version)
        case .array(let value): value.layout(version.family)
        case .pathHash(let value): value.layout(version.family)
        case .opaque(let value): RDBType(byte: value.typeByte, version: value.version)
        }
    }

    /// The lowest version of a family that holds all of it; nil where none does.
    func neededVersion(_ family: RDBFamily) -> Int? {
        if case .stream(let value) = self { return value.neededVersion(family) }
        let newest = family == .redis ? RDBVersion.newestRedis : RDBVersion.newestValkey
        guard let layout = layout(in: RDBVersion(number: newest, family: family)) else { return nil }
        return family == .redis ? layout.neededVersion.redis : layout.neededVersion.valkey
    }

    /// Appends the bytes that stand behind the key.
    /// - Parameter version: of the file that they are for.
    func append(to out: inout OutputBuffer, as layout: RDBType, in version: RDBVersion) {
        switch self {
        case .string(let bytes): out.append(string: bytes.rawSpan)
        case .list(let value): value.append(to: &out, as: layout)
        case .set(let value): value.append(to: &out, as: layout)
        case .sortedSet(let value): value.append(to: &out, as: layout)
        case .hash(let value): value.append(to: &out, as: layout)
        case .stream(let value): value.append(to: &out, as: layout, in: version)
        case .array(let value): value.append(to: &out, as: layout)
        case .pathHash(let value): value.append(to: &out, as: layout)
        case .opaque(let value): out.append(value.bytes)
        }
    }
}

extension OutputBuffer {
    /// A string value as servers save it: numbers of up to 32 bits as such, others as they are.
    /// Source: redis/redis src/rdb.c, rdbTryIntegerEncoding; formats/rdb.md §6.
    mutating func append(string bytes: RawSpan) {
        guard bytes.byteCount <= 11, let number = Digits.parse(bytes), let number = Int32(exactly: number) else {
            return append(text: bytes)
        }
        if let small = Int8(exactly: number) {
            append(0xc0)
            append(littleEndian: small)
        } else if let middle = Int16(exactly: number) {
            append(0xc1)
            append(littleEndian: middle)
        } else {
            append(0xc2)
            append(littleEndian: number)
        }
    }
}
