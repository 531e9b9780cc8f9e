import RDBBytes
import RDBModel
import RDBTestSupport
import Testing

@testable import RDBTransforms

private struct CollectedPairs: KeyPairVisitor {
    var pairs: [KeyPair] = []
    mutating func visit(_ pair: KeyPair) { pairs.append(pair) }
}

@Suite("tables of a comparison")
struct CompareTableTests {
    private func record(_ key: Digest128, _ value: UInt64) -> KeyRecord {
        KeyRecord(
            key: key, value: Digest128(high: value, low: ~value), database: value % 3, type: .hash,
            expiresAt: value % 2 == 0 ? nil : Int64(value), fieldExpiries: value &* 7)
    }

    /// - Parameter joinByteCount: small ones make partitions be joined in shares.
    @Test("a key table finds what a dictionary finds", arguments: [(false, 1 << 30), (true, 1 << 30), (true, 8 << 10)])
    func keyTable(_ isTimed: Bool, _ joinByteCount: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        // Beyond what the smallest memory holds.
        let keys = (0..<60_000).map { _ in Digest128(high: random.next(), low: random.next()) }
        var table = KeyTable(isTimed: isTimed, memory: 0, joinByteCount: joinByteCount)
        var expected: [[Digest128: UInt64]] = [[:], [:]]
        var duplicates: [UInt64] = [0, 0]
        for side in Side.allCases {
            for _ in 0..<20 {
                var records = KeyRecords(isTimed: isTimed)
                for _ in 0..<3000 {
                    let key = keys.randomElement(using: &random)!
                    let value = random.next() % 4
                    if expected[side.rawValue].updateValue(value, forKey: key) != nil { duplicates[side.rawValue] += 1 }
                    records.append(record(key, value))
                }
                try table.add(records, side)
            }
        }
        #expect(table.spilledByteCount > 0)
        var seen: Set<Digest128> = []
        var pairs = CollectedPairs()
        try table.join(into: &pairs)
        for pair in pairs.pairs {
            let (key, a, b): (Digest128, KeyRecord?, KeyRecord?) =
                switch pair {
                case .onlyA(let a): (a.key, a, nil)
                case .onlyB(let b): (b.key, nil, b)
                case .both(let a, let b): (a.key, a, b)
                }
            #expect(seen.insert(key).inserted, "seed \(seed)")
            for (found, side) in [(a, 0), (b, 1)] {
                var wanted = expected[side][key].map { record(key, $0) }
                if !isTimed {
                    wanted?.expiresAt = nil
                    wanted?.fieldExpiries = 0
                }
                #expect(found == wanted, "seed \(seed)")
            }
        }
        #expect(seen == Set(expected[0].keys).union(expected[1].keys), "seed \(seed)")
        #expect(table.duplicateCounts == duplicates, "seed \(seed)")
    }

    /// - Parameter setByteCount: small ones make parts be looked through in shares.
    @Test(
        "a tally suspects the groups whose keys differ or come twice, and no others", arguments: [1 << 30, 1 << 9],
        [1, 3])
    func keyTally(_ setByteCount: Int, threads: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        func digest() -> Digest128 { Digest128(high: random.next(), low: random.next()) }
        // More than the smallest memory holds: a part keeps 384 keys.
        let entries = (0..<600_000).map { _ in (key: digest(), entry: digest()) }
        var sides = [entries, entries.shuffled(using: &random)]
        var expected: Set<Int> = []
        func suspect(_ key: Digest128) { expected.insert(KeyGroups.group(of: key.low)) }
        for _ in 0..<20 {
            // Another value; a key that is missing; one that is new; and two that come twice on both sides, as they are
            // and in another order of their values.
            let index = random.next() % 500_000
            sides[1][Int(index)].entry = digest()
            suspect(sides[1][Int(index)].key)
            suspect(sides[0].removeLast().key)
            sides[1].append((digest(), digest()))
            suspect(sides[1].last!.key)
            let twice = entries[Int.random(in: 0..<500_000, using: &random)]
            for side in 0..<2 { sides[side].append(twice) }
            suspect(twice.key)
            let other = (key: digest(), entries: [digest(), digest()])
            for side in 0..<2 {
                for entry in 0..<2 { sides[side].append((other.key, other.entries[entry ^ side])) }
            }
            suspect(other.key)
        }
        var tally = KeyTally(memory: 0, setByteCount: setByteCount)
        for side in Side.allCases {
            var marks = KeyMarks()
            for (key, entry) in sides[side.rawValue] {
                marks.append(key: key.low, entry: entry)
                if marks.count == 5000 {
                    try tally.add(marks, side)
                    marks.removeAll()
                }
            }
            try tally.add(marks, side)
        }
        #expect(tally.spilledByteCount > 0)
        let groups = try tally.suspects(threads: threads)
        let found = (0..<KeyGroups.count).filter {
            groups.contains(UInt64($0) << (64 - KeyGroups.bits))
        }
        #expect(Set(found) == expected, "seed \(seed)")
        #expect(!groups.isEmpty)
        let empty = KeyTally(memory: 0)
        #expect(try empty.suspects().isEmpty)
    }

    @Test("keys that differ are found again, part by part")
    func differingKeys() throws {
        var random = SplitMix64(seed: 5)
        var keys = DifferingKeys(memory: 0)
        let digests = [Digest128()] + (0..<9999).map { _ in Digest128(high: random.next(), low: random.next()) }
        for digest in digests { try keys.append(digest) }
        #expect(keys.partCount == 3)
        let parts = try (0..<keys.partCount).map { try keys.part($0) }
        for digest in digests { #expect(parts.count { $0.contains(digest) } == 1) }
        #expect(!parts.contains { $0.contains(Digest128(high: 1, low: 1)) })
        #expect(try !DifferingKeys(memory: 0).part(0).contains(Digest128()))
    }

    @Test("a sorter sorts, whatever fits in memory, and keeps the order of what is equal")
    func sorter() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        for count in [0, 1, 500, 40_000] {
            // 64 KiB at the least: the largest count makes more runs than are merged at once.
            var sorter = RecordSorter(memory: 0)
            var records: [(key: [UInt8], payload: [UInt8])] = []
            for index in 0..<count {
                let key = random.bytes(Int.random(in: 0...6, using: &random)).map { $0 & 3 }
                let payload = Array("\(index)".utf8) + random.bytes(Int.random(in: 0...80, using: &random))
                records.append((key, payload))
                var first = OutputBuffer(capacity: 64)
                first.append(key)
                var second = OutputBuffer(capacity: 64)
                second.append(payload)
                try sorter.append(key: first, payload: second)
            }
            let expected = records.enumerated().sorted { left, right in
                left.element.key == right.element.key
                    ? left.offset < right.offset : left.element.key.lexicographicallyPrecedes(right.element.key)
            }.map { $0.element.payload }
            // Twice the same.
            for _ in 0..<2 {
                var found: [[UInt8]] = []
                try sorter.visit { _, payload in found.append(payload.array) }
                #expect(found == expected, "seed \(seed)")
            }
            #expect(sorter.isSpilled == (count > 5000))
        }
    }
}
