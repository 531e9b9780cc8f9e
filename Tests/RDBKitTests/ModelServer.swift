import RDBTestSupport

typealias Bytes = [UInt8]

/// A server's data as plain Swift values, with just the commands that a patch is made of.
struct ModelServer: Equatable {
    struct Key: Hashable, Comparable {
        var database: Int
        var name: Bytes
        static func < (left: Key, right: Key) -> Bool {
            left.database != right.database
                ? left.database < right.database : left.name.lexicographicallyPrecedes(right.name)
        }
    }

    struct Field: Equatable {
        var value: Bytes
        var expiresAt: Int64?
    }

    enum Value: Equatable {
        case string(Bytes)
        case list([Bytes])
        case set(Set<Bytes>)
        case sortedSet([Bytes: Double])
        case hash([Bytes: Field])

        var isEmpty: Bool {
            switch self {
            case .string: false
            case .list(let list): list.isEmpty
            case .set(let set): set.isEmpty
            case .sortedSet(let set): set.isEmpty
            case .hash(let hash): hash.isEmpty
            }
        }

        var type: String {
            switch self {
            case .string: "string"
            case .list: "list"
            case .set: "set"
            case .sortedSet: "zset"
            case .hash: "hash"
            }
        }
    }

    struct Entry: Equatable {
        var value: Value
        var expiresAt: Int64?
    }

    var entries: [Key: Entry] = [:]

    struct Refusal: Error { var command: String }

    /// Runs commands. A key that holds nothing any more is gone, with its expiry.
    mutating func run(_ commands: [[Bytes]]) throws {
        var database = 0
        for command in commands {
            func text(_ index: Int) -> String { String(decoding: command[index], as: UTF8.self) }
            func refuse() -> Refusal {
                Refusal(command: command.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " "))
            }
            if text(0) == "SELECT" {
                database = Int(text(1))!
                continue
            }
            let key = Key(database: database, name: command[1])
            let rest = command.dropFirst(2)
            let old = entries[key]
            func put(_ value: Value) {
                entries[key] = value.isEmpty ? nil : Entry(value: value, expiresAt: old?.expiresAt)
            }
            switch (text(0), old?.value) {
            case ("DEL", _): entries[key] = nil
            case ("SET", _): entries[key] = Entry(value: .string(command[2]))
            case ("PEXPIREAT", _?): entries[key]!.expiresAt = Int64(text(2))!
            case ("PERSIST", _?): entries[key]!.expiresAt = nil
            case ("RPUSH", .list(let list)?): put(.list(list + rest))
            case ("RPUSH", nil): put(.list(Array(rest)))
            case ("LPUSH", .list(let list)?): put(.list(rest.reversed() + list))
            case ("LSET", .list(var list)?):
                list[Int(text(2))!] = command[3]
                put(.list(list))
            case ("LREM", .list(let list)?): put(.list(list.filter { $0 != command[3] }))
            case ("SADD", .set(let set)?): put(.set(set.union(rest)))
            case ("SADD", nil): put(.set(Set(rest)))
            case ("SREM", .set(let set)?): put(.set(set.subtracting(rest)))
            case ("ZADD", .sortedSet), ("ZADD", nil):
                var set: [Bytes: Double] = [:]
                if case .sortedSet(let old)? = old?.value { set = old }
                for index in stride(from: 2, to: command.count, by: 2) {
                    set[command[index + 1]] = Double(text(index))!
                }
                put(.sortedSet(set))
            case ("ZREM", .sortedSet(let set)?): put(.sortedSet(set.filter { !rest.contains($0.key) }))
            case ("HSET", .hash), ("HSET", nil):
                var hash: [Bytes: Field] = [:]
                if case .hash(let old)? = old?.value { hash = old }
                // The expiry of a field goes away with its value.
                for index in stride(from: 2, to: command.count, by: 2) {
                    hash[command[index]] = Field(value: command[index + 1])
                }
                put(.hash(hash))
            case ("HDEL", .hash(let hash)?): put(.hash(hash.filter { !rest.contains($0.key) }))
            case ("HPEXPIREAT", .hash(var hash)?):
                for field in command[5...] { hash[field]!.expiresAt = Int64(text(2))! }
                put(.hash(hash))
            case ("HPERSIST", .hash(var hash)?):
                for field in command[4...] { hash[field]!.expiresAt = nil }
                put(.hash(hash))
            default: throw refuse()
            }
        }
    }

    /// An RDB of the same data, its keys and elements in random order, values in one of their layouts.
    func file(_ random: inout SplitMix64) -> Bytes {
        var items: [Bytes] = []
        var database = 0
        for (key, entry) in entries.shuffled(using: &random) {
            if key.database != database {
                items.append(RDB.selectDatabase(UInt64(key.database)))
                database = key.database
            }
            if let expiresAt = entry.expiresAt { items.append(RDB.expireMilliseconds(expiresAt)) }
            let (type, value) = Self.layout(entry.value, &random)
            items.append([type] + RDB.string(key.name) + value)
        }
        return RDBBuilder.file("REDIS0013", items)
    }

    private static func layout(_ value: Value, _ random: inout SplitMix64) -> (UInt8, Bytes) {
        let isPacked = random.next() & 1 == 0
        func listpack(_ texts: [Bytes]) -> Bytes {
            RDB.string(RDB.listpack(texts.map { .text(String(decoding: $0, as: UTF8.self)) }))
        }
        switch value {
        case .string(let text): return (0, RDB.string(text))
        case .list(let list):
            return isPacked
                ? (18, RDB.quicklist2(list.map { (1, RDB.string($0)) }))
                : (1, RDB.length(list.count) + list.flatMap { RDB.string($0) })
        case .set(let set):
            let members = set.shuffled(using: &random)
            return isPacked && members.count < 60
                ? (20, listpack(members)) : (2, RDB.length(members.count) + members.flatMap { RDB.string($0) })
        case .sortedSet(let set):
            let members = set.shuffled(using: &random)
            return isPacked
                ? (3, RDB.length(members.count) + members.flatMap { RDB.string($0.key) + RDB.oldScore("\($0.value)") })
                : (5, RDB.length(members.count) + members.flatMap { RDB.string($0.key) + RDB.double($0.value) })
        case .hash(let hash):
            let fields = hash.shuffled(using: &random)
            if fields.allSatisfy({ $0.value.expiresAt == nil }), isPacked {
                return (
                    4, RDB.length(fields.count) + fields.flatMap { RDB.string($0.key) + RDB.string($0.value.value) }
                )
            }
            let least = fields.compactMap(\.value.expiresAt).min() ?? 0
            return (
                24,
                RDB.littleEndian(least) + RDB.length(fields.count)
                    + fields.flatMap { field, value in
                        RDB.length(value.expiresAt.map { UInt64($0 - least + 1) } ?? 0) + RDB.string(field)
                            + RDB.string(value.value)
                    }
            )
        }
    }
}
