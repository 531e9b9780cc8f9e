import RDBBytes
import RDBTestSupport
import Testing

@testable import RDBTransforms

@Suite("Tree of prefixes")
struct PrefixTreeTests {
    /// Keys under a few words; some prefixes take much, most of them little, and there are many.
    private func keys(seed: UInt64, count: Int) -> [(key: String, bytes: UInt64)] {
        var random = SplitMix64(seed: seed)
        let words = ["user", "cache", "queue"]
        return (0..<count).map { _ in
            let word = words[Int(random.next() % 3)]
            // About one in n for name n: letters only, so that nothing is folded by its form.
            let number = Int(1 / (Double(random.next() >> 11) / Double(1 << 53) + 1e-6))
            let name = random.next() % 2 == 0 ? Self.name(number) : Self.name(Int(random.next() % 1_000_000))
            let end = ["", ":cart", ":cart:lines"][Int(random.next() % 3)]
            return ("\(word):\(name)\(end)", random.next() % 1000 + 1)
        }
    }

    private static func name(_ number: Int) -> String {
        var rest = number
        var text = ""
        repeat {
            text += String(UnicodeScalar(UInt8(97 + rest % 26)))
            rest /= 26
        } while rest > 0
        return text
    }

    private func tree(_ keys: [(key: String, bytes: UInt64)], capacity: Int, batch: Int = 500) -> PrefixTree {
        var tree = PrefixTree(capacity: capacity)
        var parts = KeyParts(.found)
        var tally = PatternTally()
        for (index, entry) in keys.enumerated() {
            entry.key.withRawSpan { parts.divide($0) }
            tally.add(parts, AuditSum(keys: 1, bytes: entry.bytes, serializedBytes: entry.bytes / 2, lasting: 1))
            if (index + 1) % batch == 0 {
                tree.add(tally)
                tally.removeAll()
            }
        }
        tree.add(tally)
        return tree
    }

    /// Bytes and keys of each prefix, counted exactly.
    private func exact(_ keys: [(key: String, bytes: UInt64)]) -> [String: AuditSum] {
        var sums: [String: AuditSum] = [:]
        for (key, bytes) in keys {
            var prefix = ""
            for (index, part) in key.split(separator: ":").enumerated() {
                prefix += part + (index < key.split(separator: ":").count - 1 ? ":" : "")
                sums[prefix, default: AuditSum()] += AuditSum(
                    keys: 1, bytes: bytes, serializedBytes: bytes / 2, lasting: 1)
            }
        }
        return sums
    }

    @Test("without pruning all is exact", arguments: [1, 2] as [UInt64])
    func exactness(seed: UInt64) {
        let keys = keys(seed: seed, count: 3000)
        let tree = tree(keys, capacity: 4096)
        #expect(tree.maxError == 0)
        let rows = tree.rows()
        let truth = exact(keys)
        #expect(Set(rows.map { String(decoding: $0.prefix, as: UTF8.self) }) == Set(truth.keys), "seed \(seed)")
        for row in rows {
            #expect(row.sum == truth[String(decoding: row.prefix, as: UTF8.self)], "seed \(seed)")
            #expect(row.error == 0)
            if row.parent >= 0 { #expect(row.prefix.starts(with: rows[row.parent].prefix)) }
        }
    }

    @Test(
        "sums are right up to the error that is told, and no prefix above it is missed",
        arguments: [1, 2, 3, 4] as [UInt64])
    func bounds(seed: UInt64) {
        let keys = keys(seed: seed, count: 60_000)
        let total = keys.reduce(0) { $0 + $1.bytes }
        let truth = exact(keys)
        for capacity in [2, 30, 300] {
            let tree = tree(keys, capacity: capacity)
            #expect(tree.total.bytes == total && tree.total.keys == 60_000)
            let rows = tree.rows()
            var found: [Int: [String: PrefixTree.Row]] = [:]
            var floors: [Int: UInt64] = [:]
            for row in rows where !row.prefix.contains(KeyParts.star) {
                let name = String(decoding: row.prefix, as: UTF8.self)
                found[row.level, default: [:]][name] = row
                floors[row.level] = max(floors[row.level] ?? 0, row.error)
                let exact = truth[name]?.bytes ?? 0
                #expect(row.sum.bytes <= exact, "seed \(seed), \(name)")
                #expect(row.sum.bytes + row.error >= exact, "seed \(seed), \(name)")
                #expect(row.error <= total / UInt64(capacity + 1), "seed \(seed), \(name)")
            }
            let bound = total / UInt64(capacity + 1)
            for (name, sum) in truth where sum.bytes > bound {
                let level = name.split(separator: ":").count
                #expect(found[level]?[name] != nil, "seed \(seed), \(name) of \(sum.bytes) above \(bound)")
            }
            // No byte of the first level is lost, and none is counted twice in a level.
            #expect(rows.filter { $0.level == 1 }.reduce(0) { $0 + $1.sum.bytes } == total, "seed \(seed)")
            for level in 2...3 { #expect(rows.filter { $0.level == level }.reduce(0) { $0 + $1.sum.bytes } <= total) }
            for row in rows where row.parent >= 0 { #expect(rows[row.parent].level < row.level) }
            #expect(rows.count <= 3 * 4 * capacity)
            #expect(tree.maxError <= bound)
        }
    }

    @Test("names in great numbers become one group, with what is below them")
    func groups() {
        let keys = (0..<20_000).map { (key: "user:\(Self.name($0)):cart", bytes: UInt64(100)) }
        let tree = tree(keys, capacity: 100)
        let rows = tree.rows()
        let group = rows.first { String(decoding: $0.prefix, as: UTF8.self) == "user:*:" }
        let carts = rows.first { String(decoding: $0.prefix, as: UTF8.self) == "user:*:cart" }
        #expect(group?.isGroup == true)
        #expect((group?.sum.keys ?? 0) > 19_000)
        #expect((carts?.sum.keys ?? 0) > 19_000)
        #expect(tree.total.keys == 20_000)
    }

    @Test("the same keys make the same tree, whatever the hashes")
    func determinism() {
        let keys = keys(seed: 9, count: 30_000)
        #expect(tree(keys, capacity: 50).rows() == tree(keys, capacity: 50).rows())
    }

    @Test("groups for people overlap nowhere and hold everything", arguments: [1, 2, 3] as [UInt64])
    func peopleGroups(seed: UInt64) {
        let keys = keys(seed: seed, count: 20_000)
        for (capacity, count) in [(4096, 10), (100, 10), (4096, 3), (4096, 1), (100, 50)] {
            let tree = tree(keys, capacity: capacity)
            for isLiteral in [false, true] {
                let groups = PrefixGroups(tree, maxCount: count, isLiteral: isLiteral).groups
                #expect(groups.count <= count, "seed \(seed)")
                #expect(groups.reduce(into: AuditSum()) { $0 += $1.sum } == tree.total, "seed \(seed)")
            }
        }
    }
}
