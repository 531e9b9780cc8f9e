public import RDBBytes
public import RDBModel

/// Writes an RDB file: the frame around values, whose bytes its user appends.
///
///     var writer = RDBWriter(RDBVersion(number: 11, family: .redis))
///     writer.append(aux: "redis-ver", "7.2.4".utf8)
///     writer.beginEntry(header, typeByte: 0, key: key)
///     writer.out.append(text: value)
///     writer.end()
///
/// File: `head { item } FF crc64`. Source: formats/rdb.md §3, §8.
///
/// Memory: what was not taken with `handOver` yet.
public struct RDBWriter: ~Copyable {
    public let version: RDBVersion
    /// Values go here, right behind their entry's beginning.
    public var out = OutputBuffer(capacity: 64 << 10)
    private var database: UInt64?
    private var checksum = CRC64()
    private var handedOverCount: UInt64 = 0
    public private(set) var isEnded = false

    /// Begins a file of a version.
    public init(_ version: RDBVersion) {
        self.version = version
        out.append(version.magic)
    }

    public mutating func append(aux name: StaticString, _ value: some Collection<UInt8>) {
        out.append(Opcode.aux)
        out.append(length: UInt64(name.utf8CodeUnitCount))
        out.append(name)
        out.append(text: Array(value).rawSpan)
    }

    /// A library of functions, as its source text (Redis 7.0 and later, Valkey).
    public mutating func append(function source: RawSpan) {
        out.append(Opcode.function)
        out.append(text: source)
    }

    /// Everything of an entry that stands before its value: its database where that changes, its attributes, type byte
    /// and key.
    public mutating func beginEntry(_ header: EntryHeader, typeByte: UInt8, key: RawSpan) {
        select(header.database)
        if let expiresAt = header.expiresAt {
            out.append(Opcode.expireMilliseconds)
            out.append(littleEndian: expiresAt)
        }
        if let idleSeconds = header.idleSeconds {
            out.append(Opcode.idle)
            out.append(length: idleSeconds)
        } else if let frequency = header.lfuFrequency {
            out.append(Opcode.frequency)
            out.append(frequency)
        }
        out.append(typeByte)
        out.append(text: key)
    }

    /// Says which database the entries that follow are in, unless that was said.
    public mutating func select(_ number: UInt64) {
        if number == database { return }
        out.append(Opcode.selectDatabase)
        out.append(length: number)
        database = number
    }

    /// Bytes of the file so far.
    public var byteCount: UInt64 { handedOverCount + UInt64(out.byteCount) }

    /// Ends the file. Older versions than 5 have no checksum.
    public mutating func end() {
        precondition(!isEnded, "a file ends once")
        isEnded = true
        out.append(Opcode.end)
        guard version.hasChecksum else { return }
        var whole = checksum
        whole.update(out.bytes)
        out.append(littleEndian: whole.value)
    }

    /// Moves what was written since the last call behind what another buffer holds.
    public mutating func handOver(to other: inout OutputBuffer) {
        if !isEnded {
            var crc = checksum
            crc.update(out.bytes)
            checksum = crc
        }
        other.append(out.bytes)
        handedOverCount += UInt64(out.byteCount)
        out.truncate(to: 0)
        out.shrink(to: 1 << 20)
    }
}

// Source: redis/redis src/rdb.c, rdbSaveLen, rdbSaveRawString; formats/rdb.md §5, §6.
extension OutputBuffer {
    /// A length in its shortest form.
    @inlinable
    public mutating func append(length: UInt64) {
        if length < 0x40 {
            append(UInt8(truncatingIfNeeded: length))
        } else if length < 0x4000 {
            append(UInt8(truncatingIfNeeded: length >> 8) | 0x40)
            append(UInt8(truncatingIfNeeded: length))
        } else if length <= UInt64(UInt32.max) {
            append(0x80)
            append(littleEndian: UInt32(truncatingIfNeeded: length).byteSwapped)
        } else {
            append(0x81)
            append(littleEndian: length.byteSwapped)
        }
    }

    /// A string: its length and its bytes as they are.
    @inlinable
    public mutating func append(text: RawSpan) {
        append(length: UInt64(text.byteCount))
        append(text)
    }
}
