/// How large hash tables are once a server has loaded them.
enum TableSizes {
    // MARK: - Redis: one pointer for each slot, a power of two of them

    /// Slots of a dict that was given room for all entries at once. Source: redis/redis src/dict.c, _dictNextPower.
    static func slots(presized count: UInt64) -> UInt64 { powerOfTwo(max(count, 4)) }

    /// Slots of a dict that grew entry by entry. While it moves from one table to the next (a slot with each entry that
    /// is added), it has both. Source: redis/redis src/dict.c, _dictExpandIfNeeded, _dictRehashStep.
    static func slots(grown count: UInt64) -> UInt64 { slots(growing: 4, to: count) }

    /// The same from a table that already has `size` slots.
    static func slots(growing size: UInt64, to count: UInt64) -> UInt64 {
        var size = powerOfTwo(max(size, 4))
        if count <= size { return size }
        while size &* 2 < count { size &*= 2 }
        let steps = count - size - 1
        // Only slots in use take a step.
        let used = Double(size) * (1 - power(1 - 1 / Double(size), size))
        return Double(steps) < used ? size &* 3 : size &* 2
    }

    /// Slots of a hash that was a listpack until its `first` field of `count` did not fit: then it is given room for the
    /// rest alone, unless it is moving just then. Source: redis/redis src/rdb.c, rdbLoadObject, RDB_TYPE_HASH.
    /// - Parameter isPresized: whether the fields before it were given room at once (Redis 7.0).
    static func slots(convertedAt first: UInt64, of count: UInt64, isPresized: Bool) -> UInt64 {
        let before = first - 1
        var size = powerOfTwo(max(before, 4))
        if isPresized {
            if before == size { return slots(growing: size, to: count) }
        } else {
            let all = slots(grown: first)
            if all != powerOfTwo(all) { return slots(grown: count) }
            size = all
        }
        let rest = count - min(first, count)
        return slots(growing: rest > 4 && rest >= first ? max(rest, 4) : size, to: count)
    }

    // MARK: - Valkey: buckets of 64 bytes with seven entries

    /// Source: valkey-io/valkey src/hashtable.c, nextBucketExp.
    static func buckets(presized count: UInt64) -> UInt64 {
        count == 0 ? 0 : powerOfTwo((count &* 5 &- 1) / 32 &+ 1)
    }

    /// Buckets of `count` entries, those chained to full ones included: the expected number, since it depends on a seed
    /// that the server makes when it starts.
    static func buckets(holding count: UInt64, presized: UInt64) -> UInt64 {
        var size = max(buckets(presized: presized), 1)
        while count > size &* 7 {
            size &*= 2
            // One bucket moves with each entry that is added.
            if count <= size &* 7, count - size / 2 * 7 <= size / 2 {
                return size / 2 &+ size &+ chained(count, in: size)
            }
        }
        return size &+ chained(count, in: size)
    }

    /// A full bucket gives its last place to a pointer to another one.
    private static func chained(_ count: UInt64, in buckets: UInt64) -> UInt64 {
        if buckets == 1 { return count < 8 ? 0 : (count - 2) / 6 }
        let share = 1 / Double(buckets)
        var probability = power(1 - share, count)
        let odds = share / (1 - share)
        var expected = 0.0
        for entries in 0..<64 {
            if entries >= 8 { expected += probability * Double((entries - 2) / 6) }
            if UInt64(entries) >= count { break }
            probability *= Double(count - UInt64(entries)) / Double(entries + 1) * odds
        }
        return UInt64(expected * Double(buckets) + 0.5)
    }

    // MARK: - Arithmetic

    /// The smallest power of two that is not smaller.
    static func powerOfTwo(_ count: UInt64) -> UInt64 {
        count <= 1 ? 1 : 1 << (64 - UInt64((min(count, 1 << 62) - 1).leadingZeroBitCount))
    }

    static func power(_ base: Double, _ exponent: UInt64) -> Double {
        var (result, square, left) = (1.0, base, exponent)
        while left > 0 {
            if left & 1 == 1 { result *= square }
            square *= square
            left >>= 1
        }
        return result
    }
}
