import RDBBytes
import RDBTestSupport
import Testing

@testable import AOFState

@Suite("table from byte strings to values")
struct ByteTableTests {
    /// What a dictionary and an array of keys in order hold after the same changes.
    private struct Truth {
        var values: [[UInt8]: Int] = [:]
        var order: [[UInt8]] = []
    }

    @Test("holds what a dictionary does, in the order of insertion", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func randomChanges(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var table = ByteTable<Int>()
        var truth = Truth()
        let keyCount = [4, 12, 40, 500, 5000, 20000][Int(seed) - 1]
        for step in 0..<40000 {
            let number = Int(random.next() % UInt64(keyCount))
            let key = Array("\(number)".utf8) + [UInt8](repeating: UInt8(number & 0xff), count: number % 50)
            switch random.next() % 8 {
            case 0...2:
                let (index, isNew) = table.findOrInsert(key.rawSpan, step)
                #expect(isNew == (truth.values[key] == nil), "seed \(seed), step \(step)")
                if isNew {
                    truth.values[key] = step
                    truth.order.append(key)
                }
                #expect(table[index] == truth.values[key])
            case 3:
                if truth.values[key] == nil { truth.order.append(key) }
                truth.values[key] = step
                table.set(key.rawSpan, step)
            case 4...6:
                let removed = table.remove(key.rawSpan)
                #expect(removed == truth.values.removeValue(forKey: key), "seed \(seed), step \(step)")
                if removed != nil { truth.order.removeAll { $0 == key } }
            default:
                // From the front, as a queue is used.
                if let index = table.firstIndex {
                    let first = table.key(at: index).array
                    #expect(first == truth.order.first)
                    table.remove(at: index)
                    truth.values[first] = nil
                    truth.order.removeFirst()
                }
            }
            #expect(table.count == truth.values.count)
            if step % 1000 == 999 { compare(table, truth, "seed \(seed), step \(step)") }
        }
        compare(table.copy(), truth, "copy, seed \(seed)")
        table.removeAll()
        #expect(table.isEmpty && table.firstIndex == nil)
    }

    private func compare(_ table: borrowing ByteTable<Int>, _ truth: Truth, _ note: Comment) {
        var keys: [[UInt8]] = []
        var next = table.firstIndex
        while let index = next {
            let key = table.key(at: index).array
            keys.append(key)
            #expect(table[index] == truth.values[key], note)
            #expect(table.find(key.rawSpan) == index, note)
            next = table.index(after: index)
        }
        #expect(keys == truth.order, note)
    }

    @Test("lets go of values that are removed, overwritten or dropped with it")
    func ownership() {
        final class Witness {}
        weak var removed: Witness?
        weak var dropped: Witness?
        do {
            var table = ByteTable<Witness>()
            for number in 0..<20 {
                let witness = Witness()
                if number == 3 { removed = witness }
                if number == 7 { dropped = witness }
                table.set([UInt8(number)].rawSpan, witness)
            }
            #expect(removed != nil)
            table.remove([3].rawSpan)
            #expect(removed == nil)
            #expect(dropped != nil)
        }
        #expect(dropped == nil)
    }

    @Test("has an empty key, and keys with zero bytes")
    func emptyKey() {
        var table = ByteTable<Int>()
        table.set(RawSpan(), 1)
        table.set([0].rawSpan, 2)
        table.set([0, 0].rawSpan, 3)
        for number in 0..<20 { table.set([1, UInt8(number)].rawSpan, number) }
        #expect(table.find(RawSpan()).map { table[$0] } == 1)
        #expect(table.find([0].rawSpan).map { table[$0] } == 2)
        #expect(table.find([0, 0].rawSpan).map { table[$0] } == 3)
        let first = table.key(at: table.firstIndex ?? -1).array
        #expect(first.isEmpty)
    }
}
