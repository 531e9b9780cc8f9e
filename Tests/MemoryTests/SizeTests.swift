import RDBKit
import RDBModel
import ServerHarness
import Testing

@testable import RDBTransforms

/// The parts of the model by themselves, against values worked out by hand and against plain versions of the same.
@Suite("parts of the memory model")
struct SizeTests {
    @Test("size classes of the allocators")
    func sizeClasses() {
        // jemalloc(3), "SIZE CLASSES": with a quantum of 8, and of 16.
        let bundled: [(UInt64, UInt64)] = [
            (1, 8), (8, 8), (9, 16), (24, 24), (25, 32), (33, 40), (49, 56), (57, 64), (65, 80), (81, 96), (113, 128),
            (129, 160), (161, 192), (225, 256), (257, 320), (513, 640), (4097, 5120), (14_337, 16_384),
            (16_385, 20_480), (65_537, 81_920), (1_048_576, 1_048_576), (1_048_577, 1_310_720),
        ]
        for (count, size) in bundled { #expect(Allocator.jemalloc.size(count) == size, "\(count)") }
        let system: [(UInt64, UInt64)] = [
            (1, 8), (8, 8), (9, 16), (17, 32), (33, 48), (65, 80), (129, 160), (257, 320),
        ]
        for (count, size) in system { #expect(Allocator.systemJemalloc.size(count) == size, "\(count)") }
        // Chunks of multiples of 16, at least 32, eight bytes of which are the chunk's head; pages from 128 KiB on.
        let libc: [(UInt64, UInt64)] = [
            (1, 24), (24, 24), (25, 40), (40, 40), (41, 56), (1000, 1000), (1001, 1016), (131_072, 135_152),
        ]
        for (count, size) in libc { #expect(Allocator.libc.size(count) == size, "\(count)") }
        for allocator in Allocator.allCases {
            for count: UInt64 in [.max, 1 << 63, 1 << 63 + 1, 0] { _ = allocator.size(count) }
        }
    }

    /// A radix tree of 16-byte keys, built as it is defined.
    private final class PlainTree {
        var children: [UInt8: PlainTree] = [:]

        func insert(_ key: [UInt8]) {
            var node = self
            for byte in key {
                let next = node.children[byte] ?? PlainTree()
                node.children[byte] = next
                node = next
            }
        }

        /// Nodes, and their bytes: runs of single children are one node.
        func count(_ allocator: Allocator) -> (nodes: UInt64, bytes: UInt64) {
            if children.isEmpty { return (1, allocator.size(16)) }
            if children.count > 1 {
                var sum: (nodes: UInt64, bytes: UInt64) = (1, allocator.size(Self.size(children.count, children.count)))
                for child in children.values {
                    let part = child.count(allocator)
                    sum = (sum.nodes + part.nodes, sum.bytes + part.bytes)
                }
                return sum
            }
            var (node, length) = (self, 0)
            while node.children.count == 1, let next = node.children.values.first {
                (node, length) = (next, length + 1)
            }
            let rest = node.count(allocator)
            return (rest.nodes + 1, rest.bytes + allocator.size(Self.size(length, 1)))
        }

        private static func size(_ bytes: Int, _ pointers: Int) -> UInt64 {
            let head = 4 + bytes
            return UInt64(head + (8 - head % 8) % 8 + 8 * pointers)
        }
    }

    private static func bytes(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
    }

    @Test("radix trees of stream IDs have the nodes that their keys make", arguments: Scenario.seeds)
    func radixTrees(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<12 {
            let allocator = generator.pick(Allocator.allCases)
            var tree = RadixTreeSize(allocator)
            let plain = PlainTree()
            let start: UInt64 = generator.oneIn(2) ? 1_600_000_000_000 : 0
            var id = RDBModel.StreamID(milliseconds: start, sequence: UInt64(0))
            for _ in 0..<generator.number(1...300) {
                let width = generator.pick([1, 2, 300, 70_000, 1 << 40])
                let step = UInt64(generator.number(1...width))
                if generator.oneIn(3) {
                    id.sequence += step
                } else {
                    id.milliseconds += step
                    if generator.oneIn(2) { id.sequence = 0 }
                }
                tree.add(id)
                plain.insert(Self.bytes(id.milliseconds) + Self.bytes(id.sequence))
                if generator.oneIn(50) || tree.count == 1 {
                    let expected = plain.count(allocator)
                    #expect(tree.nodes == expected.nodes && tree.nodeBytes == expected.bytes, "RDBKIT_SEED=\(seed)")
                }
            }
        }
    }

    @Test("a radix tree takes IDs in any order, and any IDs")
    func hostileTrees() {
        var generator = SeededGenerator(seed: 1)
        var tree = RadixTreeSize(.jemalloc)
        for _ in 0..<20_000 {
            let milliseconds: UInt64 = generator.next() >> UInt64(generator.number(0...63))
            let sequence: UInt64 = generator.next()
            tree.add(RDBModel.StreamID(milliseconds: milliseconds, sequence: sequence))
        }
        #expect(tree.count == 20_000 && tree.nodes >= 20_000)
    }

    @Test("limits by their names, old and new")
    func limits() {
        var limits = EncodingLimits(.redis70)
        let names = EncodingLimits.names
        for name in names {
            let isTaken = limits.set(name, to: name == "list-max-listpack-size" ? "-5" : "77")
            #expect(isTaken, "\(name)")
        }
        #expect(limits.hashEntries == 77 && limits.zsetValue == 77 && limits.listSize == -5)
        _ = limits.set("hash-max-ziplist-value", to: "5")
        #expect(limits.hashValue == 5)
        let wrong = [("hash-max-listpack-value", "x"), ("hash-max", "1"), ("list-max-listpack-size", "0")]
        for (name, value) in wrong {
            let isTaken = limits.set(name, to: value)
            #expect(!isTaken, "\(name)")
        }
    }

    @Test("the nearest release to a name")
    func nearest() {
        let names: [(String, ServerModel?)] = [
            ("redis-5.0", .redis62), ("redis-6.2.14", .redis62), ("redis-7.4", .redis70), ("redis-8.0", .redis82),
            ("redis-9.1", .redis82), ("valkey-7.2", .redis70), ("valkey-8.1.3", .valkey81), ("valkey-9.0", .valkey91),
            ("valkey", nil), ("keydb-6", nil), ("redis-x", nil),
        ]
        for (name, model) in names { #expect(ServerModel(named: name) == model, "\(name)") }
    }
}
