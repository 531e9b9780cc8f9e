import RDBKit

// Values from the replies of commands, in the layouts that every version reads: elements one by one.
// Source: formats/encodings.md §6, §7.
//
// Each gives the type byte, or nil where the reply is none of its command's.
extension OutputBuffer {
    mutating func append(text bytes: [UInt8]) { append(text: bytes.rawSpan) }

    mutating func appendValue(_ type: ReadableType, _ reply: RESPReply, _ plan: SnapshotPlan) -> UInt8? {
        switch type {
        case .string:
            guard let bytes = reply.bytes else { return nil }
            append(text: bytes)
            return 0
        case .list: return appendElements(reply) ? 1 : nil
        case .set: return appendElements(reply) ? 2 : nil
        case .zset:
            guard let members = ScoredMembers(reply) else { return nil }
            append(length: UInt64(members.count))
            return appendMembers(members) ? 5 : nil
        case .hash:
            guard let pairs = reply.array, pairs.count.isMultiple(of: 2) else { return nil }
            append(length: UInt64(pairs.count / 2))
            return appendTexts(pairs) ? 4 : nil
        case .stream:
            guard let stream = StreamReport(reply) else { return nil }
            return append(stream, plan)
        }
    }

    private mutating func appendElements(_ reply: RESPReply) -> Bool {
        guard let elements = reply.array else { return false }
        append(length: UInt64(elements.count))
        return appendTexts(elements)
    }

    mutating func appendTexts(_ replies: [RESPReply]) -> Bool {
        for reply in replies {
            guard case .bulk(let bytes) = reply else { return false }
            append(text: bytes)
        }
        return true
    }

    mutating func appendMembers(_ members: ScoredMembers) -> Bool {
        for index in 0..<members.count {
            guard let (member, score) = members[index] else { return false }
            append(text: member)
            append(littleEndian: score.bitPattern)
        }
        return true
    }

    /// A hash whose fields may have expiries. Its number of fields has been appended, by `beginExpiringHash`.
    ///
    /// - Parameter expiries: of each field, in the order of the pairs; nil for one that is gone.
    /// - Returns: how many fields were appended; nil where the replies do not belong together.
    mutating func appendExpiringFields(
        _ pairs: [RESPReply], _ expiries: [FieldExpiry], _ family: RDBFamily
    ) -> UInt64? {
        guard pairs.count == expiries.count * 2 else { return nil }
        var count: UInt64 = 0
        for (index, expiry) in expiries.enumerated() where expiry != .gone {
            guard case .bulk(let field) = pairs[2 * index], case .bulk(let value) = pairs[2 * index + 1] else {
                return nil
            }
            count += 1
            switch family {
            case .redis:
                // Relative to a smallest expiry of 0, and 0 itself is none.
                append(length: expiry.time.map { UInt64($0) + 1 } ?? 0)
                append(text: field)
                append(text: value)
            case .valkey:
                append(text: field)
                append(text: value)
                append(littleEndian: expiry.time ?? -1)
            }
        }
        return count
    }

    /// What stands before the fields of such a hash.
    mutating func beginExpiringHash(count: UInt64, _ family: RDBFamily) {
        if family == .redis { append(littleEndian: Int64(0)) }
        append(length: count)
    }

    static func expiringHashTypeByte(_ family: RDBFamily) -> UInt8 { family == .redis ? 24 : 22 }
}

/// One number of a reply to HPEXPIRETIME.
enum FieldExpiry: Equatable {
    case none
    /// Unix time in milliseconds.
    case at(Int64)
    /// The field has vanished since it was read.
    case gone

    var time: Int64? { if case .at(let time) = self { time } else { nil } }

    /// - Parameter reply: one number for each field.
    static func all(_ reply: RESPReply, count: Int) -> [FieldExpiry]? {
        // A key that is gone is null in some versions.
        if reply.isNull { return Array(repeating: .gone, count: count) }
        guard let numbers = reply.array, numbers.count == count else { return nil }
        var all: [FieldExpiry] = []
        for number in numbers {
            guard let time = number.integer else { return nil }
            switch time {
            case -1: all.append(.none)
            case -2: all.append(.gone)
            case 0..<1 << 48: all.append(.at(time))
            default: return nil
            }
        }
        return all
    }

    /// HPEXPIRETIME for the fields of pairs.
    static func question(_ key: [UInt8], _ pairs: [RESPReply]) -> [[UInt8]] {
        var question = words("HPEXPIRETIME", key, "FIELDS", String(pairs.count / 2))
        for index in stride(from: 0, to: pairs.count, by: 2) { question.append(pairs[index].bytes ?? []) }
        return question
    }
}

/// Members with scores: in turn, or in RESP3 in pairs.
struct ScoredMembers {
    private let replies: [RESPReply]
    private let arePairs: Bool

    init?(_ reply: RESPReply) {
        guard let replies = reply.array else { return nil }
        self.replies = replies
        arePairs = replies.first?.array != nil
        if !arePairs, !replies.count.isMultiple(of: 2) { return nil }
    }

    var count: Int { arePairs ? replies.count : replies.count / 2 }

    subscript(index: Int) -> (member: [UInt8], score: Double)? {
        var member = replies[arePairs ? index : 2 * index]
        let score: RESPReply
        if arePairs {
            guard let pair = member.array, pair.count == 2 else { return nil }
            (member, score) = (pair[0], pair[1])
        } else {
            score = replies[2 * index + 1]
        }
        guard case .bulk(let bytes) = member else { return nil }
        switch score {
        case .double(let value): return (bytes, value)
        case .integer(let value): return (bytes, Double(value))
        default: return score.bytes.flatMap { ScoreText.parse($0.rawSpan) }.map { (bytes, $0) }
        }
    }
}
