public import RDBFormat

extension LogState {
    /// The version of an RDB that holds the state: that of the base, or what its values need where that is more.
    /// - Parameters:
    ///   - base: of the RDB that the log begins with.
    ///   - writer: whether its aux fields say that a Valkey wrote it.
    public func version(base: RDBVersion?, isValkey: Bool) -> RDBVersion {
        let needs = neededFamilies()
        var family = base?.family ?? .redis
        // Up to 11 both families write the same files.
        let isCommon = base.map { $0.family == .redis && $0.number <= 11 } ?? true
        if isCommon {
            if needs.valkeyOnly || !needs.redisOnly && (isValkey || runner.isValkey) { family = .valkey }
        }
        var needed = 0
        for database in keyspace.databases.values {
            var next = database.entries.firstIndex
            while let index = next {
                needed = max(needed, database.entries[index].value.neededVersion(family) ?? 0)
                next = database.entries.index(after: index)
            }
        }
        let own = base.map { $0.family == family ? $0.number : 0 } ?? 0
        switch family {
        case .redis: return RDBVersion(number: max(own, needed, base == nil ? 11 : 1), family: .redis)
        case .valkey where needed <= 11 && own == 0:
            // Nothing in it is Valkey's own.
            return RDBVersion(number: max(base?.number ?? 11, needed), family: .redis)
        case .valkey: return RDBVersion(number: max(own, needed, 80), family: .valkey)
        }
    }

    /// Takes values away that no file of a version can hold: of the other family's own types, which no server has beside
    /// them. Returns how many keys that were.
    public mutating func settle(_ version: RDBVersion) -> UInt64 {
        var count: UInt64 = 0
        for (number, database) in keyspace.databases {
            database.entries.removeAll { key, entry in
                if entry.value.layout(in: version)?.byte(in: version) != nil { return false }
                doubts.insert(number, key)
                count += 1
                return true
            }
        }
        return count
    }

    /// Whether there are values that only one family has.
    private func neededFamilies() -> (redisOnly: Bool, valkeyOnly: Bool) {
        var families = (redisOnly: false, valkeyOnly: false)
        for database in keyspace.databases.values {
            var next = database.entries.firstIndex
            while let index = next {
                switch database.entries[index].value {
                case .array: families.redisOnly = true
                case .pathHash: families.valkeyOnly = true
                case .hash(let hash) where hash.isBeyondRedis: families.valkeyOnly = true
                case .opaque(let value) where value.typeByte >= 22:
                    if value.version.family == .redis { families.redisOnly = true } else { families.valkeyOnly = true }
                default: break
                }
                next = database.entries.index(after: index)
            }
        }
        return families
    }
}
