import RDBBytes
import RDBTestSupport
import Testing

@testable import AOFState

/// The values of collections, large enough for many blocks, against plain arrays and dictionaries.
@Suite("collections against plain models")
struct CollectionModelTests {
    private static func text(_ random: inout SplitMix64) -> [UInt8] {
        let number = Int(random.next() % 4000)
        // Elements of all forms of length, a few larger than a block.
        let length = random.next() % 400 == 0 ? 5000 : random.next() % 20 == 0 ? 253 + number % 4 : number % 60
        return Array("\(number)".utf8) + [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length)
    }

    @Test("a list is what an array is", arguments: [1, 2, 3] as [UInt64])
    func list(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let list = ListValue()
        var model: [[UInt8]] = []
        for step in 0..<6000 {
            let element = Self.text(&random)
            let index = model.isEmpty ? 0 : Int(random.next() % UInt64(model.count))
            switch random.next() % 12 {
            case 0...3:
                list.push(element.rawSpan, .right)
                model.append(element)
            case 4...5:
                list.push(element.rawSpan, .left)
                model.insert(element, at: 0)
            case 6:
                list.remove(3, .left)
                model.removeFirst(min(3, model.count))
            case 7:
                list.remove(2, .right)
                model.removeLast(min(2, model.count))
            case 8 where !model.isEmpty:
                guard let position = list.elements.position(of: index) else {
                    Issue.record("seed \(seed), step \(step): no element \(index)")
                    return
                }
                list.elements.insert(element.rawSpan, before: position)
                model.insert(element, at: index)
            case 9 where !model.isEmpty:
                if let position = list.elements.position(of: index) {
                    list.elements.insert(element.rawSpan, after: position)
                    model.insert(element, at: index + 1)
                }
            case 10 where !model.isEmpty:
                if let position = list.elements.position(of: index) {
                    list.elements.replace(at: position, with: element.rawSpan)
                    model[index] = element
                }
            case 11 where !model.isEmpty && step % 7 == 0:
                let victim = model[index]
                let count = Int64(random.next() % 5) - 2
                list.remove(victim.rawSpan, count: count)
                let places = model.indices.filter { model[$0] == victim }
                let gone =
                    count == 0
                    ? places : count > 0 ? Array(places.prefix(Int(count))) : Array(places.suffix(Int(-count)))
                for place in gone.reversed() { model.remove(at: place) }
            default:
                if step % 500 == 0 {
                    list.trim(5, -6)
                    model = model.count > 10 ? Array(model[5..<model.count - 5]) : []
                }
            }
            #expect(list.count == model.count, "seed \(seed), step \(step)")
            if list.count != model.count { return }
            if step % 300 == 299 {
                var held: [[UInt8]] = []
                list.copy().elements.visit { held.append($0.array) }
                #expect(held == model, "seed \(seed), step \(step)")
            }
        }
    }

    @Test("a sorted set is what a sorted array is", arguments: [1, 2, 3] as [UInt64])
    func sortedSet(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let zset = SortedSetValue()
        var model: [[UInt8]: Double] = [:]
        // Few scores, so that members decide; or many.
        let scoreCount: UInt64 = seed == 1 ? 3 : 10_000
        let memberCount: UInt64 = 6000
        for step in 0..<30_000 {
            let member = Array("m\(random.next() % memberCount)".utf8)
            let score = Double(random.next() % scoreCount)
            switch random.next() % 10 {
            case 0...5:
                zset.set(member.rawSpan, score)
                model[member] = score
            case 6...7:
                #expect(zset.remove(member.rawSpan) == (model.removeValue(forKey: member) != nil))
            case 8 where step % 50 == 0:
                // The order is there from now on, and kept through all that follows.
                let first = Int64(random.next() % UInt64(max(1, model.count)))
                let last = first + Int64(random.next() % 300)
                let ordered = Self.sorted(model)
                if let positions = zset.positions(ranks: first, last) { zset.remove(positions) }
                for index in Int(first)...Int(last) where index < ordered.count { model[ordered[index].0] = nil }
            default: break
            }
            #expect(zset.count == model.count, "seed \(seed), step \(step)")
            if zset.count != model.count { return }
            if step % 3000 == 2999 { compare(zset, model, "seed \(seed), step \(step)") }
        }
        compare(zset.copy(), model, "seed \(seed), copy")
        zset.pop(Int.max, isMax: true)
        #expect(zset.isEmpty)
    }

    private static func sorted(_ model: [[UInt8]: Double]) -> [([UInt8], Double)] {
        model.map { ($0.key, $0.value) }.sorted {
            $0.1 != $1.1 ? $0.1 < $1.1 : $0.0.lexicographicallyPrecedes($1.0)
        }
    }

    private func compare(_ zset: SortedSetValue, _ model: [[UInt8]: Double], _ note: Comment) {
        let ordered = Self.sorted(model)
        var forward: [[UInt8]] = []
        var backward: [[UInt8]] = []
        guard let all = zset.positions(ranks: 0, -1) else {
            #expect(model.isEmpty, note)
            return
        }
        zset.visit(in: all) { member, _ in
            forward.append(member.array)
            return true
        }
        zset.visit(in: all, isReverse: true) { member, _ in
            backward.append(member.array)
            return true
        }
        #expect(forward == ordered.map(\.0), note)
        #expect(backward == forward.reversed(), note)
    }

    @Test("a hash is what a dictionary is", arguments: [1, 2] as [UInt64])
    func hash(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let hash = HashValue()
        var values: [[UInt8]: [UInt8]] = [:]
        var times: [[UInt8]: Int64] = [:]
        for step in 0..<20_000 {
            let field = Array("f\(random.next() % 1500)".utf8)
            switch random.next() % 8 {
            case 0...3:
                let value = Self.text(&random)
                hash.set(field.rawSpan, value.rawSpan)
                values[field] = value
            case 4:
                #expect(hash.remove(field.rawSpan) == (values.removeValue(forKey: field) != nil))
                times[field] = nil
            case 5 where values[field] != nil:
                hash.setExpiry(of: field.rawSpan, Int64(step))
                times[field] = Int64(step)
            case 6: #expect(hash.removeExpiry(field.rawSpan) == (times.removeValue(forKey: field) != nil))
            default:
                #expect(hash.withValue(field.rawSpan) { $0.array } == values[field], "seed \(seed), step \(step)")
            }
            #expect(hash.count == values.count && hash.hasExpiries == !times.isEmpty)
        }
        let copy = hash.copy()
        hash.set(Array("f0".utf8).rawSpan, Array("changed".utf8).rawSpan)
        var held: [[UInt8]: [UInt8]] = [:]
        var heldTimes: [[UInt8]: Int64] = [:]
        copy.visit { field, value, expiresAt in
            held[field.array] = value.array
            heldTimes[field.array] = expiresAt
        }
        #expect(held == values, "seed \(seed)")
        #expect(heldTimes == times, "seed \(seed)")
    }
}
