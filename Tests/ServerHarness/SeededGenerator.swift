/// SplitMix64: a small generator whose whole state is the seed, so that a failure can be replayed
/// from one number.
///
/// Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension SeededGenerator {
    /// A number in the range, by remainder: the bias does not matter for test data, and the result
    /// stays the same whatever the standard library's own method becomes.
    package mutating func number(_ range: ClosedRange<Int>) -> Int {
        let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound)) &+ 1
        if width == 0 { return Int(truncatingIfNeeded: next()) }
        return range.lowerBound &+ Int(truncatingIfNeeded: next() % width)
    }

    /// True once in `n` times.
    package mutating func oneIn(_ n: Int) -> Bool {
        number(1...n) == 1
    }

    package mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[number(0...choices.count - 1)]
    }

    package mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for index in elements.indices.dropFirst().reversed() { elements.swapAt(index, number(0...index)) }
        return elements
    }

    /// `count` elements in their order; all of them if there are fewer.
    package mutating func sample<Element>(_ elements: [Element], _ count: Int) -> [Element] {
        var chosen: [Element] = []
        for (index, element) in elements.enumerated() {
            let left = elements.count - index
            if number(1...left) <= count - chosen.count { chosen.append(element) }
        }
        return chosen
    }
}
