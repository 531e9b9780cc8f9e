/// Assembles RDB files byte by byte from the format documents. Nothing here comes from the libraries under test.
public struct RDBBuilder: Sendable {
    public enum Checksum: Sendable {
        case right, zero, wrong, missing
    }

    public private(set) var bytes: [UInt8]

    /// - Parameter magic: the nine bytes of the head.
    public init(_ magic: String = "REDIS0011") { bytes = Array(magic.utf8) }

    public mutating func append(_ more: [UInt8]) { bytes += more }

    /// The whole file: what was appended, `FF`, and the checksum.
    public func finished(_ checksum: Checksum = .right) -> [UInt8] {
        let body = bytes + [0xff]
        switch checksum {
        case .right: return body + RDB.littleEndian(crc64(body))
        case .wrong: return body + RDB.littleEndian(crc64(body) ^ 0x0100)
        case .zero: return body + [UInt8](repeating: 0, count: 8)
        case .missing: return body
        }
    }

    /// A file of items, in one expression.
    public static func file(
        _ magic: String, _ items: [[UInt8]], checksum: Checksum = .right
    ) -> [UInt8] {
        var builder = RDBBuilder(magic)
        for item in items { builder.append(item) }
        return builder.finished(checksum)
    }

    public static func file(_ items: [[UInt8]], checksum: Checksum = .right) -> [UInt8] {
        file("REDIS0011", items, checksum: checksum)
    }
}

/// CRC-64 "Jones", one bit at a time: the reference that the fast forms are held against.
public func crc64(_ bytes: some Sequence<UInt8>, from start: UInt64 = 0) -> UInt64 {
    var crc = start
    for byte in bytes {
        crc ^= UInt64(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x95ac_9329_ac4b_c9b5 : crc >> 1 }
    }
    return crc
}

/// Bytes written as hexadecimal digits, with `'text'` between quotes; spaces and bars only separate.
public func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var high: UInt8?
    var isQuoted = false
    for byte in text.utf8 {
        if byte == UInt8(ascii: "'") {
            isQuoted.toggle()
        } else if isQuoted {
            bytes.append(byte)
        } else if let digit = Character(UnicodeScalar(byte)).hexDigitValue {
            if let first = high {
                bytes.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        } else {
            precondition(high == nil && " |·\n".utf8.contains(byte), "not hexadecimal: \(text)")
        }
    }
    precondition(high == nil && !isQuoted, "cut short: \(text)")
    return bytes
}

/// The parts of an RDB file. Layouts: formats/rdb.md, encodings.md, newest.md.
public enum RDB {
    public static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }

    public static func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] { littleEndian(value).reversed() }

    public static func double(_ value: Double) -> [UInt8] { littleEndian(value.bitPattern) }

    // MARK: - Lengths

    public enum LengthForm: Sendable, CaseIterable {
        case bits6, bits14, bits32, bits64
    }

    /// The shortest form.
    public static func length(_ value: UInt64) -> [UInt8] {
        let form: LengthForm = value < 64 ? .bits6 : value < 16384 ? .bits14 : value >> 32 == 0 ? .bits32 : .bits64
        return length(value, form)
    }

    public static func length(_ value: Int) -> [UInt8] { length(UInt64(value)) }

    public static func length(_ value: UInt64, _ form: LengthForm) -> [UInt8] {
        switch form {
        case .bits6: [UInt8(value)]
        case .bits14: [0x40 | UInt8(value >> 8), UInt8(value & 0xff)]
        case .bits32: [0x80] + bigEndian(UInt32(value))
        case .bits64: [0x81] + bigEndian(value)
        }
    }

    // MARK: - Strings

    public static func string(_ text: String) -> [UInt8] { string(Array(text.utf8)) }
    public static func string(_ bytes: [UInt8]) -> [UInt8] { length(bytes.count) + bytes }
    public static func int8(_ value: Int8) -> [UInt8] { [0xc0] + littleEndian(value) }
    public static func int16(_ value: Int16) -> [UInt8] { [0xc1] + littleEndian(value) }
    public static func int32(_ value: Int32) -> [UInt8] { [0xc2] + littleEndian(value) }

    /// A compressed string whose LZF block is given.
    public static func lzf(block: [UInt8], count: Int) -> [UInt8] {
        [0xc3] + length(block.count) + length(count) + block
    }

    /// A compressed string of literal runs only, which any reader must take.
    public static func lzf(literally bytes: [UInt8]) -> [UInt8] {
        var block: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let end = min(index + 32, bytes.count)
            block.append(UInt8(end - index - 1))
            block += bytes[index..<end]
            index = end
        }
        return lzf(block: block, count: bytes.count)
    }

    public static func oldScore(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    // MARK: - Items

    public static func entry(_ type: UInt8, _ key: String, _ value: [UInt8]) -> [UInt8] {
        [type] + string(key) + value
    }

    public static func selectDatabase(_ number: UInt64) -> [UInt8] { [0xfe] + length(number) }
    public static func resizeDatabase(_ keys: UInt64, _ expires: UInt64) -> [UInt8] {
        [0xfb] + length(keys) + length(expires)
    }
    public static func aux(_ name: String, _ value: [UInt8]) -> [UInt8] { [0xfa] + string(name) + value }
    public static func aux(_ name: String, _ value: String) -> [UInt8] { aux(name, string(value)) }
    public static func expireMilliseconds(_ time: Int64) -> [UInt8] { [0xfc] + littleEndian(time) }
    public static func expireSeconds(_ time: Int32) -> [UInt8] { [0xfd] + littleEndian(time) }
    public static func idle(_ seconds: UInt64) -> [UInt8] { [0xf8] + length(seconds) }
    public static func frequency(_ value: UInt8) -> [UInt8] { [0xf9, value] }
    public static func function(_ code: String) -> [UInt8] { [0xf5] + string(code) }
    public static func functionPreGA(
        name: String, engine: String, description: String?, code: String
    ) -> [UInt8] {
        [0xf6] + string(name) + string(engine)
            + (description.map { length(1) + string($0) } ?? length(0)) + string(code)
    }
    public static func moduleAux(_ id: [UInt8], when: UInt64, parts: [UInt8]) -> [UInt8] {
        [0xf7] + id + [2] + length(when) + parts + [0]
    }
    public static func slotInfo(_ slot: UInt64, _ keys: UInt64, _ expires: UInt64) -> [UInt8] {
        [0xf4] + length(slot) + length(keys) + length(expires)
    }
    /// Redis: class specs and their module parts, before an entry.
    public static func keyMetadata(_ classes: [(spec: [UInt8], parts: [UInt8])]) -> [UInt8] {
        [0xf3] + length(classes.count) + classes.flatMap { $0.spec + $0.parts + [0] }
    }
    /// Valkey.
    public static func slotImport(_ job: String, _ ranges: [(UInt64, UInt64)]) -> [UInt8] {
        [0xf3] + string(job) + length(ranges.count) + ranges.flatMap { length($0.0) + length($0.1) }
    }
    /// Redis.
    public static func hashTemplate(_ id: UInt64, _ fields: [String]) -> [UInt8] {
        [0xf2] + length(id) + length(fields.count) + fields.flatMap { string($0) }
    }
    /// Valkey.
    public static func inlineUpdate(_ words: [String]) -> [UInt8] {
        [0xf2] + Array("*\(words.count)\r\n".utf8) + words.flatMap { Array("$\($0.utf8.count)\r\n\($0)\r\n".utf8) }
    }
    /// Redis Enterprise.
    public static func enterpriseIdle(_ value: UInt64) -> [UInt8] { [107] + length(value) }
    public static func enterpriseSlot(_ value: UInt64) -> [UInt8] { [121] + length(value) }
}
