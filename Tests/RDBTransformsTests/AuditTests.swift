import RDBBytes
import RDBModel
import RDBTestSupport
import Testing

@testable import RDBTransforms

@Suite("Audit")
struct AuditTests {
    private static let now: Int64 = 1_800_000_000_000

    /// Entries with random figures.
    private func entries(seed: UInt64, count: Int) -> [(
        header: EntryHeader, key: String, memory: EntryMemory, size: UInt64
    )] {
        var random = SplitMix64(seed: seed)
        let types: [ValueType] = [.string, .list, .hash, .zset, .stream]
        return (0..<count).map { index in
            var header = EntryHeader(database: random.next() % 3, type: types[Int(random.next() % 5)])
            if random.next() % 3 == 0 { header.expiresAt = Self.now + Int64(random.next() % 2000) * 1000 - 1_000_000 }
            if random.next() % 2 == 0 { header.idleSeconds = random.next() % 100_000 }
            var memory = EntryMemory()
            memory.type = header.type
            // Few different numbers, so that many are equal.
            memory.bytes = 50 + random.next() % 200
            memory.elements = random.next() % 50
            memory.largestElementBytes = random.next() % 100
            return (header, "key:\(index)", memory, random.next() % 500)
        }
    }

    private func audit(
        _ settings: MemoryAudit.Settings,
        _ entries: [(header: EntryHeader, key: String, memory: EntryMemory, size: UInt64)]
    ) -> MemoryAudit {
        var audit = MemoryAudit(settings)
        for entry in entries {
            entry.key.withRawSpan {
                audit.add(
                    entry.header, key: $0, entry.memory, serializedBytes: entry.size, limits: EncodingLimits(.redis82))
            }
        }
        audit.finish()
        return audit
    }

    private func settings() -> MemoryAudit.Settings {
        var settings = MemoryAudit.Settings(now: Self.now)
        settings.measures = AuditMeasure.allCases
        settings.ranksTypes = true
        settings.countsSlots = true
        settings.conditions = ["bytes>240", "hash.elements<3", "ttl_seconds<=10", "keys>5"].compactMap {
            AuditCondition($0)
        }
        return settings
    }

    @Test("parts that are absorbed in their order make the same audit", arguments: [1, 2, 3] as [UInt64])
    func parts(seed: UInt64) {
        let entries = entries(seed: seed, count: 5000)
        let whole = audit(settings(), entries)
        var random = SplitMix64(seed: seed)
        var sum = MemoryAudit(settings())
        // Workers are used again and again.
        var workers = (0..<3).map { _ in MemoryAudit(settings()) }
        var start = 0
        while start < entries.count {
            let end = min(entries.count, start + Int(random.next() % 700) + 1)
            for entry in entries[start..<end] {
                entry.key.withRawSpan {
                    workers[start % 3].add(
                        entry.header, key: $0, entry.memory, serializedBytes: entry.size,
                        limits: EncodingLimits(.redis82))
                }
            }
            sum.absorb(&workers[start % 3], input: 0)
            start = end
        }
        sum.finish()
        #expect(sum.total == whole.total)
        #expect(sum.expired == whole.expired)
        #expect(sum.elements == whole.elements)
        #expect(sum.databases == whole.databases, "seed \(seed)")
        #expect(sum.sizes == whole.sizes && sum.elementCounts == whole.elementCounts)
        #expect(sum.timesToLive == whole.timesToLive && sum.idleTimes == whole.idleTimes)
        #expect(sum.prefixes.rows() == whole.prefixes.rows())
        #expect(sum.slots?.slots == whole.slots?.slots)
        for measure in AuditMeasure.allCases {
            #expect(sum.top(measure) == whole.top(measure), "seed \(seed), \(measure)")
            for (type, _, _) in whole.byType {
                #expect(
                    sum.top(measure, type: type) == whole.top(measure, type: type), "seed \(seed), \(measure), \(type)")
            }
        }
        for (one, other) in zip(sum.conditions, whole.conditions) {
            #expect(one.count == other.count)
            #expect(one.offenders.entries == other.offenders.entries, "seed \(seed), \(one.condition.text)")
        }
    }

    @Test("rankings are those of a sort, the first of equals first", arguments: [4, 5] as [UInt64])
    func rankings(seed: UInt64) {
        let entries = entries(seed: seed, count: 3000)
        var settings = settings()
        settings.topCount = 25
        let audit = audit(settings, entries)
        for measure in AuditMeasure.allCases {
            let sorted = entries.enumerated().sorted { left, right in
                let one = measure.value(left.element.memory, serializedBytes: left.element.size)
                let other = measure.value(right.element.memory, serializedBytes: right.element.size)
                return one != other ? one > other : left.offset < right.offset
            }
            let names = audit.top(measure).map { String(decoding: $0.key, as: UTF8.self) }
            #expect(names == sorted.prefix(25).map(\.element.key), "seed \(seed), \(measure)")
        }
    }

    @Test("conditions are read, and wrong ones refused")
    func conditions() {
        for (text, value) in [
            ("bytes>100MB", 1e8), ("bytes >= 1KiB", 1024), ("hash.elements>10000", 10000), ("no_expiry_share>5%", 0.05),
            ("expired_share>=0.5", 0.5), ("ttl_seconds<1h", 3600), ("keys!=0", 0),
            ("total_bytes>1.5GiB", 1_610_612_736),
            ("idle_seconds>30d", 2_592_000), ("key_bytes>512", 512), ("server_bytes<=16gb", 1.6e10), ("elements=7", 7),
        ] {
            let condition = AuditCondition(text)
            #expect(condition?.text == text)
            #expect(condition.map { abs($0.value - value) < 1e-6 } == true, "\(text)")
        }
        for text in [
            "", "bytes", "bytes>", ">5", "bytes>x", "size>5", "hash.keys>1", "tree.elements>1", "no_expiry_share>5",
            "bytes>-1", "bytes>5%", "keys>1KB", "bytes>>5", "bytes>nan", "hash.>5", "bytes==5",
        ] {
            #expect(AuditCondition(text) == nil, "\(text)")
        }
    }

    @Test("shards divide the slots into runs of nearly equal bytes", arguments: [1, 2, 3, 7, 100, 16384])
    func shards(_ count: Int) {
        var tally = SlotTally()
        var random = SplitMix64(seed: 11)
        for index in 0..<50_000 {
            "key:\(index)".withRawSpan { tally.add($0, AuditSum(keys: 1, bytes: random.next() % 1000)) }
        }
        let shards = tally.shards(count)
        #expect(shards.count == count)
        #expect(shards.first?.slots.lowerBound == 0 && shards.last?.slots.upperBound == 16383)
        for (one, next) in zip(shards, shards.dropFirst()) {
            #expect(one.slots.upperBound + 1 == next.slots.lowerBound)
        }
        let total = shards.reduce(UInt64(0)) { $0 + $1.sum.bytes }
        #expect(shards.reduce(UInt64(0)) { $0 + $1.sum.keys } == 50_000)
        if count <= 100 {
            // A border lies within a slot's bytes of where it should.
            let most = tally.slots.map(\.bytes).max() ?? 0
            for shard in shards {
                #expect(abs(Double(shard.sum.bytes) - Double(total) / Double(count)) <= Double(most))
            }
        }
        let empty = SlotTally().shards(count)
        #expect(empty.count == count && empty.last?.slots.upperBound == 16383)
    }

    @Test("histograms count by powers of two")
    func histogram() {
        var histogram = LogHistogram()
        for number in [0, 1, 2, 3, 4, 7, 8, 1 << 40, .max] as [UInt64] {
            histogram.add(number, AuditSum(keys: 1, bytes: number))
        }
        let rows = histogram.rows
        #expect(rows.count == 65)
        #expect(rows.prefix(5).map(\.sum.keys) == [1, 1, 2, 2, 1])
        #expect(rows[4].lower == 8 && rows[4].upper == 15)
        #expect(rows[41].sum.keys == 1 && rows[64].upper == .max && rows[64].sum.keys == 1)
    }

    @Test("values that just missed the compact form are told by what they missed")
    func misses() {
        var misses = EncodingMisses()
        let limits = EncodingLimits(.redis82)
        func add(_ elements: UInt64, _ longest: UInt64, compact: UInt64? = 400) {
            var memory = EntryMemory()
            memory.type = .hash
            memory.bytes = 1000
            memory.elements = elements
            memory.largestElementBytes = longest
            memory.compactBytes = compact
            misses.add(memory, limits)
        }
        let (entries, value) = (limits.hashEntries, limits.hashValue)
        add(entries + 1, value)
        add(entries * 2, value)
        add(entries * 2 + 1, value)
        add(entries, value + 1)
        add(entries + 1, value * 2)
        add(entries, value * 2 + 1)
        add(entries + 1, value, compact: nil)
        let rows = misses.rows
        #expect(rows.map(\.cause) == [.entries, .value, .both])
        #expect(rows[0].keys == 2 && rows[0].savedBytes == 1200 && rows[0].neededEntries == entries * 2)
        #expect(rows[1].keys == 1 && rows[1].neededValue == value + 1)
        #expect(rows[2].keys == 1)
    }
}
