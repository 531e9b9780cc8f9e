import RDBTestSupport
import Testing

@testable import RDBTransforms

@Suite("edit scripts")
struct EditScriptTests {
    /// By the table of all prefixes: the length of the longest common subsequence.
    private func commonCount(_ a: [Int32], _ b: [Int32]) -> Int {
        var row = [Int](repeating: 0, count: b.count + 1)
        for x in a {
            var diagonal = 0
            for (index, y) in b.enumerated() {
                let above = row[index + 1]
                row[index + 1] = x == y ? diagonal + 1 : max(above, row[index])
                diagonal = above
            }
        }
        return row[b.count]
    }

    private func applied(_ script: EditScript, _ a: [Int32], _ b: [Int32]) -> [Int32] {
        var result: [Int32] = []
        var at = 0
        for hunk in script.hunks {
            result += a[at..<hunk.a.lowerBound]
            result += b[hunk.b]
            at = hunk.a.upperBound
        }
        return result + a[at...]
    }

    private func editCount(_ script: EditScript) -> Int {
        script.hunks.reduce(0) { $0 + $1.a.count + $1.b.count }
    }

    @Test("turn one sequence into the other, by as few edits as there are")
    func minimal() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        for _ in 0..<3000 {
            let letters = Int32.random(in: 1...6, using: &random)
            var a: [Int32] = []
            var b: [Int32] = []
            for _ in 0..<Int.random(in: 0...24, using: &random) { a.append(.random(in: 0..<letters, using: &random)) }
            for _ in 0..<Int.random(in: 0...24, using: &random) { b.append(.random(in: 0..<letters, using: &random)) }
            let script = EditScript(a, b)
            #expect(applied(script, a, b) == b, "seed \(seed): \(a) \(b)")
            #expect(script.isMinimal, "seed \(seed)")
            #expect(editCount(script) == a.count + b.count - 2 * commonCount(a, b), "seed \(seed): \(a) \(b)")
        }
    }

    @Test("long sequences with few edits take few steps")
    func long() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let a = (0..<200_000).map { _ in Int32.random(in: 0..<1000, using: &random) }
        var b = a
        for _ in 0..<30 {
            let place = Int.random(in: 0..<b.count, using: &random)
            if random.next() & 1 == 0 { b.remove(at: place) } else { b.insert(-1, at: place) }
        }
        let script = EditScript(a, b, maxSteps: 2_000_000)
        #expect(script.isMinimal, "seed \(seed)")
        #expect(applied(script, a, b) == b, "seed \(seed)")
        #expect(editCount(script) <= 30, "seed \(seed)")
    }

    @Test("out of steps, the edits are right, and said not to be the fewest")
    func outOfSteps() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let a = (0..<2000).map { _ in Int32.random(in: 0..<50, using: &random) }
        let b = (0..<2000).map { _ in Int32.random(in: 0..<50, using: &random) }
        for steps in [0, 1, 100, 10_000] {
            let script = EditScript(a, b, maxSteps: steps)
            #expect(!script.isMinimal, "seed \(seed)")
            #expect(applied(script, a, b) == b, "seed \(seed)")
        }
    }
}
