/// The fewest deletions and insertions that turn one sequence into another: Myers' algorithm in linear space.
///
/// Source: E. W. Myers, An O(ND) Difference Algorithm and Its Variations, Algorithmica 1 (1986), section 4b.
///
/// Time: at most `maxSteps` comparisons, after which what is not settled yet counts as wholly replaced. Memory: 8 bytes
/// for each diagonal, 1 for each element.
struct EditScript {
    /// Runs of elements that differ, ascending: `a` goes, `b` comes in its place.
    struct Hunk: Equatable {
        var a: Range<Int>
        var b: Range<Int>
    }

    /// A second's work.
    static let maxSteps = 1 << 28

    private(set) var hunks: [Hunk] = []
    private(set) var isMinimal = true

    private struct Box {
        var a: Range<Int>
        var b: Range<Int>
    }

    init(_ a: [Int32], _ b: [Int32], maxSteps: Int = EditScript.maxSteps) {
        var goes = [Bool](repeating: false, count: a.count)
        var comes = [Bool](repeating: false, count: b.count)
        var search = MiddleSearch(a, b, maxSteps: maxSteps)
        var open = [Box(a: 0..<a.count, b: 0..<b.count)]
        while let box = open.popLast() {
            var (a0, a1) = (box.a.lowerBound, box.a.upperBound)
            var (b0, b1) = (box.b.lowerBound, box.b.upperBound)
            while a0 < a1, b0 < b1, a[a0] == b[b0] {
                a0 += 1
                b0 += 1
            }
            while a0 < a1, b0 < b1, a[a1 - 1] == b[b1 - 1] {
                a1 -= 1
                b1 -= 1
            }
            if a0 < a1, b0 < b1, let middle = search.find(a0..<a1, b0..<b1) {
                open.append(Box(a: a0..<middle.a, b: b0..<middle.b))
                open.append(Box(a: middle.a..<a1, b: middle.b..<b1))
                continue
            }
            if a0 < a1, b0 < b1 { isMinimal = false }
            for index in a0..<a1 { goes[index] = true }
            for index in b0..<b1 { comes[index] = true }
        }
        gather(goes, comes)
    }

    private mutating func gather(_ goes: [Bool], _ comes: [Bool]) {
        var (i, j) = (0, 0)
        while i < goes.count || j < comes.count {
            let (from, to) = (i, j)
            while i < goes.count, goes[i] { i += 1 }
            while j < comes.count, comes[j] { j += 1 }
            if i > from || j > to {
                hunks.append(Hunk(a: from..<i, b: to..<j))
            } else {
                // What stays on one side stays on the other.
                i += 1
                j += 1
            }
        }
    }
}

/// Finds a place on a shortest path, from both ends at once.
private struct MiddleSearch {
    private let a: [Int32]
    private let b: [Int32]
    private var forward: [Int32]
    private var backward: [Int32]
    private let shift: Int
    private var stepsLeft: Int

    init(_ a: [Int32], _ b: [Int32], maxSteps: Int) {
        self.a = a
        self.b = b
        // Diagonals a - b from -b.count - 1 to a.count + 1.
        shift = b.count + 1
        forward = Array(repeating: 0, count: a.count + b.count + 3)
        backward = forward
        stepsLeft = maxSteps
    }

    /// - Returns: nil once the steps are used up. Both ranges have elements, and neither their first nor their last agree.
    mutating func find(_ aRange: Range<Int>, _ bRange: Range<Int>) -> (a: Int, b: Int)? {
        if stepsLeft <= 0 { return nil }
        let (a0, a1, b0, b1) = (aRange.lowerBound, aRange.upperBound, bRange.lowerBound, bRange.upperBound)
        let (low, high) = (a0 - b1, a1 - b0)
        let (start, end) = (a0 - b0, a1 - b1)
        let isOdd = (start - end) & 1 != 0
        var (forwardLow, forwardHigh, backwardLow, backwardHigh) = (start, start, end, end)
        forward[start + shift] = Int32(a0)
        backward[end + shift] = Int32(a1)
        while stepsLeft > 0 {
            if forwardLow > low {
                forwardLow -= 1
                forward[forwardLow - 1 + shift] = -1
            } else {
                forwardLow += 1
            }
            if forwardHigh < high {
                forwardHigh += 1
                forward[forwardHigh + 1 + shift] = -1
            } else {
                forwardHigh -= 1
            }
            var diagonal = forwardHigh
            while diagonal >= forwardLow {
                let below = forward[diagonal - 1 + shift]
                let above = forward[diagonal + 1 + shift]
                var x = Int(below < above ? above : below + 1)
                var y = x - diagonal
                let from = x
                while x < a1, y < b1, a[x] == b[y] {
                    x += 1
                    y += 1
                }
                stepsLeft -= x - from + 1
                forward[diagonal + shift] = Int32(x)
                if isOdd, diagonal >= backwardLow, diagonal <= backwardHigh, backward[diagonal + shift] <= x {
                    return (x, y)
                }
                diagonal -= 2
            }
            if backwardLow > low {
                backwardLow -= 1
                backward[backwardLow - 1 + shift] = .max
            } else {
                backwardLow += 1
            }
            if backwardHigh < high {
                backwardHigh += 1
                backward[backwardHigh + 1 + shift] = .max
            } else {
                backwardHigh -= 1
            }
            diagonal = backwardHigh
            while diagonal >= backwardLow {
                let below = backward[diagonal - 1 + shift]
                let above = backward[diagonal + 1 + shift]
                var x = Int(below < above ? below : above - 1)
                var y = x - diagonal
                let from = x
                while x > a0, y > b0, a[x - 1] == b[y - 1] {
                    x -= 1
                    y -= 1
                }
                stepsLeft -= from - x + 1
                backward[diagonal + shift] = Int32(x)
                if !isOdd, diagonal >= forwardLow, diagonal <= forwardHigh, x <= forward[diagonal + shift] {
                    return (x, y)
                }
                diagonal -= 2
            }
        }
        return nil
    }
}
