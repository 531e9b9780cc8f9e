import RDBBytes
import RDBTestSupport
import RDBTransforms
import Testing

@Suite("Tallies")
struct TallyTests {
    /// Keys of which a few come much more often than others, and their exact counts.
    private func occurrences(seed: UInt64, count: Int) -> (keys: [String], exact: [String: UInt64]) {
        var random = SplitMix64(seed: seed)
        var exact: [String: UInt64] = [:]
        let keys = (0..<count).map { _ in
            // About one in n for key n.
            let number = Int(1 / (Double(random.next() >> 11) / Double(1 << 53) + 1e-5))
            let key = random.next() % 2 == 0 ? "hot:\(number)" : "cold:\(random.next() % 100_000)"
            exact[key, default: 0] += 1
            return key
        }
        return (keys, exact)
    }

    @Test(
        "counts are right up to the error that is told, and no frequent key is missed",
        arguments: [1, 2, 3] as [UInt64])
    func heavyHitters(seed: UInt64) {
        for capacity in [1, 16, 100, 1000] {
            let (keys, exact) = occurrences(seed: seed, count: 50_000)
            var hitters = HeavyHitters(capacity: capacity)
            for key in keys { key.withRawSpan { hitters.add($0, database: 0) } }
            #expect(hitters.total == 50_000)
            let found = hitters.top(.max)
            #expect(found.count == capacity)
            let bound = UInt64(50_000 / capacity)
            for key in found {
                let truth = exact[String(decoding: key.bytes, as: UTF8.self)] ?? 0
                #expect(key.count >= truth && key.count - key.error <= truth, "seed \(seed), \(key)")
                #expect(key.error <= bound)
            }
            let names = Set(found.map { String(decoding: $0.bytes, as: UTF8.self) })
            for (key, count) in exact where count > bound { #expect(names.contains(key), "seed \(seed), \(key)") }
            #expect(found.map(\.count) == found.map(\.count).sorted(by: >))
        }
    }

    @Test("few keys are counted exactly, by database")
    func exactCounts() {
        var hitters = HeavyHitters(capacity: 8)
        for (key, database, count) in [("a", 0, 3), ("a", 1, 5), ("b", 0, 1)] {
            for _ in 0..<count { key.withRawSpan { hitters.add($0, database: UInt64(database)) } }
        }
        let long = String(repeating: "x", count: 300)
        long.withRawSpan { hitters.add($0, database: 2) }
        let top = hitters.top(4)
        #expect(top.map(\.count) == [5, 3, 1, 1])
        #expect(top.map(\.database) == [1, 0, 0, 2])
        #expect(top[3].bytes == Array(long.utf8.prefix(256)))
        #expect(top[3].byteCount == 300)
        #expect(hitters.top(1).count == 1)
    }

    @Test("prefixes end behind the delimiter")
    func prefixes() {
        func rows(_ delimiter: String, _ depth: Int, _ keys: [String]) -> [String] {
            var tally = PrefixTally(delimiter: Array(delimiter.utf8), depth: depth)
            for key in keys { key.withRawSpan { tally.add($0, byteCount: 10) } }
            return tally.sorted.map { "\(String(decoding: $0.prefix, as: UTF8.self)) \($0.count) \($0.byteCount)" }
        }
        let keys = ["a:1:x", "a:1:y", "a:2", "b", ":c", "a"]
        #expect(rows(":", 1, keys) == ["a: 3 30", " 2 20", ": 1 10"])
        #expect(rows(":", 2, keys) == [" 2 20", "a:1: 2 20", ": 1 10", "a: 1 10"])
        #expect(rows("::", 1, ["a::b", "a:b", "a::"]) == ["a:: 2 20", " 1 10"])
        #expect(rows("é", 1, ["aéb", "a", "é"]) == [" 1 10", "aé 1 10", "é 1 10"])
    }

    @Test("prefixes without number are counted together")
    func manyPrefixes() {
        var tally = PrefixTally(delimiter: [UInt8(ascii: ":")], depth: 1)
        for number in 0..<PrefixTally.maxCount + 7 { "\(number):".withRawSpan { tally.add($0, byteCount: 2) } }
        "0:x".withRawSpan { tally.add($0, byteCount: 5) }
        #expect(tally.sorted.count == PrefixTally.maxCount)
        #expect(tally.sorted[0].count == 2 && tally.sorted[0].byteCount == 7)
        #expect(tally.others.count == 7 && tally.others.byteCount == 14)
    }

    @Test("spans of time grow until there are few enough, and lose nothing")
    func times() {
        var tally = TimeTally()
        for second in 0..<100 { tally.add(1_000_000 + Int64(second), count: 1, byteCount: 3) }
        #expect(tally.length == 1)
        #expect(tally.rows.count == 100)
        tally.add(1_000_100, count: 1, byteCount: 3)
        #expect(tally.length == 2)
        #expect(tally.rows.count == 51)
        #expect(tally.rows[0].start == 1_000_000 && tally.rows[0].count == 2 && tally.rows[0].byteCount == 6)
        // Back in time, and years ahead; what is no year of ours is left out.
        tally.add(0, count: 4, byteCount: 1)
        tally.add(253_402_300_799, count: 5, byteCount: 1)
        for time in [Int64.min, -1, .max] { tally.add(time, count: 100, byteCount: 100) }
        #expect(tally.rows.count <= TimeTally.maxCount)
        #expect(tally.rows.reduce(0) { $0 + $1.count } == 110)
        #expect(tally.rows.reduce(0) { $0 + $1.byteCount } == 305)
        #expect(tally.rows.map(\.start) == tally.rows.map(\.start).sorted())
    }
}
