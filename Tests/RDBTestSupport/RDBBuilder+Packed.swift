// Values that are packed into one string. Layouts: formats/encodings.md §2 to §6.
extension RDB {
    /// `u32 width, u32 count, integers`.
    public static func intset(width: Int, _ values: [Int64], count: Int? = nil) -> [UInt8] {
        littleEndian(UInt32(width)) + littleEndian(UInt32(count ?? values.count))
            + values.flatMap { littleEndian($0).prefix(width) }
    }

    // MARK: - Listpack

    /// One entry of a listpack, in each of its encodings.
    public enum ListpackEntry: Sendable {
        case uint7(UInt8)
        case int13(Int16)
        case int16(Int16)
        case int24(Int32)
        case int32(Int32)
        case int64(Int64)
        case string6(String)
        case string12([UInt8])
        case string32([UInt8])
        /// As servers before mid-2026 wrote it: one byte more of back-length at the boundaries.
        indirect case oldForm(ListpackEntry)

        /// The shortest form of a text that is no number, or of a number.
        public static func text(_ text: String) -> ListpackEntry {
            let bytes = Array(text.utf8)
            return bytes.count < 64 ? .string6(text) : bytes.count < 4096 ? .string12(bytes) : .string32(bytes)
        }
        public static func number(_ value: Int64) -> ListpackEntry {
            switch value {
            case 0...127: .uint7(UInt8(value))
            case -4096...4095: .int13(Int16(value))
            case Int64(Int16.min)...Int64(Int16.max): .int16(Int16(value))
            case -0x80_0000...0x7f_ffff: .int24(Int32(value))
            case Int64(Int32.min)...Int64(Int32.max): .int32(Int32(value))
            default: .int64(value)
            }
        }

        var head: [UInt8] {
            switch self {
            case .uint7(let value): return [value & 0x7f]
            case .int13(let value):
                let bits = UInt16(bitPattern: value) & 0x1fff
                return [0xc0 | UInt8(bits >> 8), UInt8(bits & 0xff)]
            case .int16(let value): return [0xf1] + RDB.littleEndian(value)
            case .int24(let value): return [0xf2] + RDB.littleEndian(value).prefix(3)
            case .int32(let value): return [0xf3] + RDB.littleEndian(value)
            case .int64(let value): return [0xf4] + RDB.littleEndian(value)
            case .string6(let text): return [0x80 | UInt8(text.utf8.count)] + Array(text.utf8)
            case .string12(let bytes): return [0xe0 | UInt8(bytes.count >> 8), UInt8(bytes.count & 0xff)] + bytes
            case .string32(let bytes): return [0xf0] + RDB.littleEndian(UInt32(bytes.count)) + bytes
            case .oldForm(let entry): return entry.head
            }
        }

        public var bytes: [UInt8] {
            let head = head
            if case .oldForm = self { return head + [0] + backLength(head.count).map { $0 | 0x80 } }
            return head + backLength(head.count)
        }
    }

    /// Base 128, most significant group first, bit 7 in all bytes but the first.
    public static func backLength(_ length: Int) -> [UInt8] {
        var groups: [UInt8] = []
        var rest = length
        repeat {
            groups.insert(UInt8(rest & 0x7f), at: 0)
            rest >>= 7
        } while rest > 0
        return groups.enumerated().map { $0.offset == 0 ? $0.element : $0.element | 0x80 }
    }

    public static func listpack(_ entries: [ListpackEntry], count: Int? = nil) -> [UInt8] {
        listpack(bytes: entries.flatMap(\.bytes), count: count ?? entries.count)
    }

    public static func listpack(bytes: [UInt8], count: Int) -> [UInt8] {
        littleEndian(UInt32(bytes.count + 7)) + littleEndian(UInt16(min(count, 65535))) + bytes + [0xff]
    }

    // MARK: - Ziplist

    /// One entry of a ziplist, in each of its encodings.
    public enum ZiplistEntry: Sendable {
        case string6(String)
        case string14([UInt8])
        case string32([UInt8])
        case immediate(UInt8)
        case int8(Int8)
        case int16(Int16)
        case int24(Int32)
        case int32(Int32)
        case int64(Int64)
        /// With a five-byte length of the entry before, where one byte would do.
        indirect case longPrevious(ZiplistEntry)

        public static func text(_ text: String) -> ZiplistEntry { .string6(text) }

        var data: [UInt8] {
            switch self {
            case .string6(let text): return [UInt8(text.utf8.count)] + Array(text.utf8)
            case .string14(let bytes): return [0x40 | UInt8(bytes.count >> 8), UInt8(bytes.count & 0xff)] + bytes
            case .string32(let bytes): return [0x80] + RDB.bigEndian(UInt32(bytes.count)) + bytes
            case .immediate(let value): return [0xf1 + value]
            case .int8(let value): return [0xfe] + RDB.littleEndian(value)
            case .int16(let value): return [0xc0] + RDB.littleEndian(value)
            case .int24(let value): return [0xf0] + RDB.littleEndian(value).prefix(3)
            case .int32(let value): return [0xd0] + RDB.littleEndian(value)
            case .int64(let value): return [0xe0] + RDB.littleEndian(value)
            case .longPrevious(let entry): return entry.data
            }
        }
    }

    public static func ziplist(_ entries: [ZiplistEntry], count: Int? = nil) -> [UInt8] {
        var body: [UInt8] = []
        var previous = 0
        var tail = 10
        for entry in entries {
            tail = 10 + body.count
            var isLong = previous >= 254
            if case .longPrevious = entry { isLong = true }
            let bytes = (isLong ? [0xfe] + littleEndian(UInt32(previous)) : [UInt8(previous)]) + entry.data
            previous = bytes.count
            body += bytes
        }
        return littleEndian(UInt32(body.count + 11)) + littleEndian(UInt32(tail))
            + littleEndian(UInt16(min(count ?? entries.count, 65535))) + body + [0xff]
    }

    // MARK: - Zipmap

    public struct ZipmapPair: Sendable {
        public var field: [UInt8]
        public var value: [UInt8]
        public var free: [UInt8]

        public init(_ field: String, _ value: String, free: [UInt8] = []) {
            self.field = Array(field.utf8)
            self.value = Array(value.utf8)
            self.free = free
        }
    }

    public static func zipmap(_ pairs: [ZipmapPair], count: UInt8? = nil) -> [UInt8] {
        func size(_ count: Int) -> [UInt8] {
            count < 254 ? [UInt8(count)] : [0xfe] + littleEndian(UInt32(count))
        }
        var body: [UInt8] = []
        for pair in pairs {
            body += size(pair.field.count)
            body += pair.field
            body += size(pair.value.count)
            body.append(UInt8(pair.free.count))
            body += pair.value
            body += pair.free
        }
        return [count ?? UInt8(min(pairs.count, 254))] + body + [0xff]
    }

    // MARK: - Quicklist

    /// Type 18: each node is `length container, string`.
    public static func quicklist2(_ nodes: [(container: UInt64, string: [UInt8])]) -> [UInt8] {
        length(nodes.count) + nodes.flatMap { length($0.container) + $0.string }
    }
}
