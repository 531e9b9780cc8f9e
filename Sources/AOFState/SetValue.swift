import RDBBytes
import RDBFormat
import RDBModel

/// A set.
final class SetValue: StoredValue {
    private(set) var members = ByteTable<Void>()

    init() {}

    var isEmpty: Bool { members.isEmpty }
    var count: Int { members.count }

    func copy() -> SetValue {
        let copy = SetValue()
        copy.members = members.copy()
        return copy
    }

    func contains(_ member: RawSpan) -> Bool { members.contains(member) }

    func add(_ member: RawSpan) { _ = members.findOrInsert(member, ()) }

    /// - Returns: whether it was there.
    @discardableResult
    func remove(_ member: RawSpan) -> Bool { members.remove(member) != nil }

    func visit(_ body: (RawSpan) -> Void) {
        var next = members.firstIndex
        while let index = next {
            body(members.key(at: index))
            next = members.index(after: index)
        }
    }

    // MARK: - In an RDB

    func layout(_ family: RDBFamily) -> RDBType {
        var isIntegers = count <= CompactLimits.intsetCount
        var isSmall = count <= CompactLimits.setCount
        var next = members.firstIndex
        while let index = next, isIntegers || isSmall {
            if isIntegers, Digits.parse(members.key(at: index)) == nil { isIntegers = false }
            if members.key(at: index).byteCount > CompactLimits.byteCount { isSmall = false }
            next = members.index(after: index)
        }
        return isIntegers ? .setIntset : isSmall ? .setListpack : .set
    }

    func append(to out: inout OutputBuffer, as layout: RDBType) {
        switch layout {
        case .setIntset: appendIntset(to: &out)
        case .setListpack:
            var listpack = ListpackWriter(for: RDBVersion(number: 11, family: .redis))
            visit { listpack.append($0) }
            listpack.handOver(to: &out)
        default:
            out.append(length: UInt64(count))
            visit { out.append(string: $0) }
        }
    }

    /// `u32 width, u32 count, integers`, ascending, of the smallest width that holds all.
    private func appendIntset(to out: inout OutputBuffer) {
        var numbers: [Int64] = []
        visit { if let number = Digits.parse($0) { numbers.append(number) } }
        numbers.sort()
        let width =
            switch (numbers.first ?? 0, numbers.last ?? 0) {
            case (Int64(Int16.min)..., ...Int64(Int16.max)): 2
            case (Int64(Int32.min)..., ...Int64(Int32.max)): 4
            default: 8
            }
        out.append(length: UInt64(8 + numbers.count * width))
        out.append(littleEndian: UInt32(width))
        out.append(littleEndian: UInt32(numbers.count))
        for number in numbers {
            switch width {
            case 2: out.append(littleEndian: Int16(number))
            case 4: out.append(littleEndian: Int32(number))
            default: out.append(littleEndian: number)
            }
        }
    }

    var keyspaceValue: KeyspaceValue { .set(self) }

    static func from(_ value: KeyspaceValue) -> SetValue? {
        if case .set(let value) = value { value } else { nil }
    }
}

/// Up to which size servers with default limits use compact layouts. Source: redis/redis redis.conf.
enum CompactLimits {
    static let intsetCount = 512
    static let setCount = 128
    static let sortedSetCount = 128
    static let hashCount = 512
    /// Of a member, field or value.
    static let byteCount = 64
}

struct SetLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = SetValue()

    var value: KeyspaceValue { .set(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) { loaded.add(bytes) }
}
