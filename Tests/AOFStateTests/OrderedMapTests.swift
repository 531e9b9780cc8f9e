import RDBTestSupport
import Testing

@testable import AOFState

@Suite("a map in the order of its keys")
struct OrderedMapTests {
    @Test("does what a sorted list of pairs does", arguments: 1...6)
    func random(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        var map = OrderedMap<Int, Int>()
        var plain: [Int: Int] = [:]
        for step in 0..<6000 {
            // Grows, then shrinks.
            let key = Int(generator.next() % 700)
            if let place = map.find(key) {
                #expect(map[place] == plain[key], "seed \(seed), step \(step)")
                if step > 3000 || generator.next() % 3 == 0 {
                    map.remove(at: place)
                    plain[key] = nil
                } else {
                    map[place] = step
                    plain[key] = step
                }
            } else {
                #expect(plain[key] == nil, "seed \(seed), step \(step)")
                if step < 3000 || generator.next() % 8 == 0 {
                    map.insert(key, step)
                    plain[key] = step
                }
            }
            #expect(map.count == plain.count)
            let bound = Int(generator.next() % 720)
            #expect(
                map.first(from: bound)?.key == plain.keys.filter { $0 >= bound }.min(), "seed \(seed), step \(step)")
            if step % 100 == 0 {
                var all: [Int] = []
                map.visit { all.append($0.key) }
                #expect(all == plain.keys.sorted() && map.last?.key == all.last, "seed \(seed), step \(step)")
            }
        }
        map.removeAll { $0.key % 2 == 0 }
        #expect(map.count == plain.keys.filter { $0 % 2 != 0 }.count)
    }
}
