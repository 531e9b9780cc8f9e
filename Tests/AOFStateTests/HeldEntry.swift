import Glibc
import RDBBytes
import ServerHarness

@testable import AOFState

/// A key's value in a form in which what a server answers and what the keyspace holds can be compared.
struct HeldEntry: CustomStringConvertible {
    var type: String
    /// Lists and sorted sets in their order (members with the bits of their scores), sets and hashes by bytes.
    var parts: [[UInt8]]
    /// Unix milliseconds.
    var fieldTimes: [[UInt8]: Int64] = [:]
    var expiresAt: Int64?

    var description: String {
        var text = "\(type) \(parts.prefix(60).map(\.quoted).joined(separator: " "))"
        if !fieldTimes.isEmpty { text += " field times \(fieldTimes.map { "\($0.key.quoted): \($0.value)" }.sorted())" }
        if let expiresAt { text += " expires at \(expiresAt)" }
        return text
    }

    /// Times that were counted from "now" differ by the time between here and there.
    func isEqual(_ other: HeldEntry) -> Bool {
        func isNear(_ left: Int64?, _ right: Int64?) -> Bool {
            guard let left, let right else { return left == nil && right == nil }
            return abs(left - right) < 100_000
        }
        return type == other.type && parts == other.parts && isNear(expiresAt, other.expiresAt)
            && Set(fieldTimes.keys) == Set(other.fieldTimes.keys)
            && fieldTimes.allSatisfy { isNear($0.value, other.fieldTimes[$0.key]) }
    }

    /// Unix milliseconds.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Whether a zero keeps its sign depends on how a server holds the sorted set.
    private static func bits(_ score: Double) -> [UInt8] {
        Array(String(score == 0 ? 0 : score.bitPattern, radix: 16).utf8)
    }

    // MARK: - The server's side

    static func read(_ connection: RESPConnection, _ server: Server) throws -> [[UInt8]: HeldEntry] {
        let keys = try connection.call("KEYS", "*").elements().map { try $0.bytes() }
        let types = try connection.pipeline(keys.map { Command("TYPE", $0) }).map { try $0.text() }
        let questions = zip(keys, types).map { key, type in
            switch type {
            case "list": Command("LRANGE", key, 0, -1)
            case "set": Command("SMEMBERS", key)
            case "zset": Command("ZRANGE", key, 0, -1, "WITHSCORES")
            case "hash": Command("HGETALL", key)
            default: Command("GET", key)
            }
        }
        let answers = try connection.pipeline(questions)
        let ttls = try connection.pipeline(keys.map { Command("PTTL", $0) })
        let now = HeldEntry.now
        var entries: [[UInt8]: HeldEntry] = [:]
        for (index, key) in keys.enumerated() {
            var entry = HeldEntry(type: types[index], parts: [])
            switch types[index] {
            case "list": entry.parts = try answers[index].elements().map { try $0.bytes() }
            case "set": entry.parts = try answers[index].elements().map { try $0.bytes() }.sorted { $0.precedes($1) }
            case "zset":
                entry.parts = try answers[index].pairs().flatMap { [try $0.bytes(), bits(try $1.double())] }
            case "hash":
                let pairs = try answers[index].pairs().map { (try $0.bytes(), try $1.bytes()) }
                    .sorted { $0.0.precedes($1.0) }
                entry.parts = pairs.flatMap { [$0.0, $0.1] }
                if server.hasFieldExpiry {
                    let times = try connection.call(
                        "HPEXPIRETIME", key, "FIELDS", pairs.count, Arguments(pairs.map(\.0)))
                    for (pair, time) in zip(pairs, try times.elements()) where try time.integer() >= 0 {
                        entry.fieldTimes[pair.0] = try time.integer()
                    }
                }
            default: entry.parts = [try answers[index].bytes()]
            }
            let ttl = try ttls[index].integer()
            if ttl >= 0 { entry.expiresAt = now + ttl }
            entries[key] = entry
        }
        return entries
    }

    // MARK: - Ours

    static func read(_ database: Database) -> [[UInt8]: HeldEntry] {
        var entries: [[UInt8]: HeldEntry] = [:]
        database.entries.forEachInOrder { key, held in
            var entry = HeldEntry(held.value)
            if held.expiresAt != KeyspaceEntry.never { entry.expiresAt = held.expiresAt }
            entries[key.array] = entry
        }
        return entries
    }

    init(type: String, parts: [[UInt8]]) {
        self.type = type
        self.parts = parts
    }

    init(_ value: KeyspaceValue) {
        var parts: [[UInt8]] = []
        var times: [[UInt8]: Int64] = [:]
        switch value {
        case .string(let bytes): self.init(type: "string", parts: [bytes])
        case .list(let list):
            list.elements.visit { parts.append($0.array) }
            self.init(type: "list", parts: parts)
        case .set(let set):
            set.visit { parts.append($0.array) }
            self.init(type: "set", parts: parts.sorted { $0.precedes($1) })
        case .sortedSet(let zset):
            if let all = zset.positions(ranks: 0, -1) {
                zset.visit(in: all) { member, score in
                    parts += [member.array, Self.bits(score)]
                    return true
                }
            }
            self.init(type: "zset", parts: parts)
        case .hash(let hash):
            var pairs: [([UInt8], [UInt8])] = []
            hash.visit { field, value, expiresAt in
                pairs.append((field.array, value.array))
                if let expiresAt { times[field.array] = expiresAt }
            }
            self.init(
                type: "hash", parts: pairs.sorted { $0.0.precedes($1.0) }.flatMap { [$0.0, $0.1] })
            fieldTimes = times
        default: self.init(type: "other", parts: [])
        }
    }
}
