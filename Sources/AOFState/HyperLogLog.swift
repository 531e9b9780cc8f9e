import RDBBytes

/// A HyperLogLog as servers keep it in a string, byte for byte: so that it is what the server's is.
///
/// Source: formats/encodings.md §14.1; redis/redis src/hyperloglog.c.
struct HyperLogLog {
    static let registerCount = 16384
    static let headerByteCount = 16
    static let denseByteCount = headerByteCount + registerCount * 6 / 8
    /// What a sparse one is made dense beyond, unless a server is told otherwise.
    static let maxSparseByteCount = 3000
    private static let maxSparseValue: UInt8 = 32
    private static let maxShortZeroRun = 64
    private static let maxValueRun = 4

    private(set) var bytes: [UInt8]

    /// An empty one.
    init() {
        bytes = Array("HYLL".utf8) + [1] + [UInt8](repeating: 0, count: 11)
        Self.appendZeros(&bytes, Self.registerCount)
    }

    /// nil where the string is none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.headerByteCount, bytes.starts(with: "HYLL".utf8), bytes[4] <= 1,
            bytes[4] == 1 || bytes.count == Self.denseByteCount
        else { return nil }
        self.bytes = bytes
    }

    var isDense: Bool { bytes[4] == 0 }

    // MARK: - Changing

    enum Change {
        case none, raised
        /// The registers do not add up.
        case damaged
    }

    mutating func add(_ element: RawSpan) -> Change {
        let hash = MurmurHash64A.hash(element, seed: 0xadc8_3b19)
        let rank = UInt8((hash >> 14 | 1 << 50).trailingZeroBitCount + 1)
        return raise(Int(hash & UInt64(Self.registerCount - 1)), to: rank)
    }

    /// Raises a register, unless it is as high.
    mutating func raise(_ register: Int, to value: UInt8) -> Change {
        isDense ? raiseDense(register, to: value) : raiseSparse(register, to: value)
    }

    /// The cached number of elements no longer holds.
    mutating func invalidate() { bytes[15] |= 0x80 }

    /// Keeps the number of elements in the header, as PFCOUNT does.
    mutating func refresh() -> Bool {
        if bytes[15] & 0x80 == 0 { return true }
        guard let registers else { return false }
        let count = Self.estimate(registers)
        for index in 0..<8 { bytes[8 + index] = UInt8(truncatingIfNeeded: count >> UInt64(8 * index)) }
        return true
    }

    /// - Returns: false where the registers do not add up.
    mutating func makeDense() -> Bool {
        if isDense { return true }
        guard let registers else { return false }
        var dense = Array(bytes[..<Self.headerByteCount])
        dense[4] = 0
        dense += [UInt8](repeating: 0, count: Self.denseByteCount - Self.headerByteCount)
        bytes = dense
        for (register, value) in registers.enumerated() where value > 0 { setDense(register, value) }
        return true
    }

    // MARK: - Dense: 6 bits a register, lowest first

    private func dense(_ register: Int) -> UInt8 {
        let bit = register * 6
        let byte = Self.headerByteCount + bit / 8
        let low = UInt16(bytes[byte]) >> UInt16(bit & 7)
        let high = byte + 1 < bytes.count ? UInt16(bytes[byte + 1]) << UInt16(8 - bit & 7) : 0
        return UInt8((low | high) & 63)
    }

    private mutating func setDense(_ register: Int, _ value: UInt8) {
        let bit = register * 6
        let byte = Self.headerByteCount + bit / 8
        let shift = UInt16(bit & 7)
        let mask = UInt16(63) << shift
        let bits = UInt16(value) << shift
        bytes[byte] = bytes[byte] & ~UInt8(mask & 0xff) | UInt8(bits & 0xff)
        if mask > 0xff {
            bytes[byte + 1] = bytes[byte + 1] & ~UInt8(mask >> 8) | UInt8(bits >> 8)
        }
    }

    private mutating func raiseDense(_ register: Int, to value: UInt8) -> Change {
        if dense(register) >= value { return .none }
        setDense(register, value)
        return .raised
    }

    // MARK: - Sparse: runs of registers

    /// A run of equal registers and where its bytes are.
    private struct Run {
        var start: Int
        var byteCount: Int
        var firstRegister: Int
        var registerCount: Int
        var value: UInt8
    }

    private func run(at start: Int, firstRegister: Int) -> Run? {
        let first = bytes[start]
        if first & 0x80 != 0 {
            return Run(
                start: start, byteCount: 1, firstRegister: firstRegister, registerCount: Int(first & 3) + 1,
                value: first >> 2 & 31 + 1)
        }
        if first & 0x40 == 0 {
            return Run(
                start: start, byteCount: 1, firstRegister: firstRegister, registerCount: Int(first & 63) + 1, value: 0)
        }
        guard start + 1 < bytes.count else { return nil }
        return Run(
            start: start, byteCount: 2, firstRegister: firstRegister,
            registerCount: Int(first & 63) << 8 + Int(bytes[start + 1]) + 1, value: 0)
    }

    private static func appendZeros(_ bytes: inout [UInt8], _ count: Int) {
        if count > maxShortZeroRun {
            bytes.append(UInt8((count - 1) >> 8) | 0x40)
            bytes.append(UInt8((count - 1) & 0xff))
        } else if count > 0 {
            bytes.append(UInt8(count - 1))
        }
    }

    private static func appendValue(_ bytes: inout [UInt8], _ value: UInt8, _ count: Int) {
        if count > 0 { bytes.append((value - 1) << 2 | UInt8(count - 1) | 0x80) }
    }

    private mutating func raiseSparse(_ register: Int, to value: UInt8) -> Change {
        if value > Self.maxSparseValue { return makeDense() ? raiseDense(register, to: value) : .damaged }
        var before: Run?
        var found: Run?
        var start = Self.headerByteCount
        var first = 0
        while start < bytes.count {
            guard let run = run(at: start, firstRegister: first) else { return .damaged }
            if register < first + run.registerCount {
                found = run
                break
            }
            before = run
            start += run.byteCount
            first += run.registerCount
        }
        guard let run = found else { return .damaged }
        if run.value >= value { return .none }
        if run.value > 0, run.registerCount == 1 {
            bytes[run.start] = (value - 1) << 2 | 0x80
        } else if run.value == 0, run.byteCount == 1, run.registerCount == 1 {
            bytes[run.start] = (value - 1) << 2 | 0x80
        } else {
            var pieces: [UInt8] = []
            let left = register - run.firstRegister
            let right = run.registerCount - left - 1
            if run.value == 0 {
                Self.appendZeros(&pieces, left)
                Self.appendValue(&pieces, value, 1)
                Self.appendZeros(&pieces, right)
            } else {
                Self.appendValue(&pieces, run.value, left)
                Self.appendValue(&pieces, value, 1)
                Self.appendValue(&pieces, run.value, right)
            }
            if pieces.count > run.byteCount,
                bytes.count + pieces.count - run.byteCount > Self.maxSparseByteCount + Self.headerByteCount
            {
                return makeDense() ? raiseDense(register, to: value) : .damaged
            }
            bytes.replaceSubrange(run.start..<run.start + run.byteCount, with: pieces)
        }
        joinRuns(from: before?.start ?? Self.headerByteCount)
        return .raised
    }

    /// Joins up to five runs of values, from one on, where they are equal and short enough together: what a server does.
    private mutating func joinRuns(from start: Int) {
        var at = start
        var left = 5
        while at < bytes.count, left > 0 {
            left -= 1
            if bytes[at] & 0x80 == 0 {
                at += bytes[at] & 0x40 == 0 ? 1 : 2
                continue
            }
            if at + 1 < bytes.count, bytes[at + 1] & 0x80 != 0, bytes[at] >> 2 == bytes[at + 1] >> 2 {
                let count = Int(bytes[at] & 3) + Int(bytes[at + 1] & 3) + 2
                if count <= Self.maxValueRun {
                    bytes[at + 1] = bytes[at] & ~3 | UInt8(count - 1)
                    bytes.remove(at: at)
                    // The joined run is looked at again.
                    continue
                }
            }
            at += 1
        }
    }

    // MARK: - Registers and what they say

    /// All registers; nil where they do not add up.
    var registers: [UInt8]? {
        if isDense { return (0..<Self.registerCount).map { dense($0) } }
        var registers: [UInt8] = []
        registers.reserveCapacity(Self.registerCount)
        var start = Self.headerByteCount
        while start < bytes.count {
            guard let run = run(at: start, firstRegister: registers.count),
                registers.count + run.registerCount <= Self.registerCount
            else { return nil }
            registers.append(contentsOf: repeatElement(run.value, count: run.registerCount))
            start += run.byteCount
        }
        return registers.count == Self.registerCount ? registers : nil
    }

    /// How many elements were added, about. Source: Otmar Ertl, New cardinality estimation algorithms for HyperLogLog
    /// sketches, arXiv 1702.01284; formats/commands.md C.10.
    static func estimate(_ registers: [UInt8]) -> UInt64 {
        var histogram = [Int](repeating: 0, count: 64)
        for value in registers { histogram[Int(value & 63)] += 1 }
        let count = Double(registerCount)
        var sum = count * tau((count - Double(histogram[51])) / count)
        for value in stride(from: 50, through: 1, by: -1) {
            sum += Double(histogram[value])
            sum *= 0.5
        }
        sum += count * sigma(Double(histogram[0]) / count)
        let estimate = (0.721347520444481703680 * count * count / sum).rounded()
        return estimate.isFinite && estimate < 0x1p63 ? UInt64(estimate) : 0
    }

    private static func sigma(_ start: Double) -> Double {
        if start == 1 { return .infinity }
        var power = start
        var factor = 1.0
        var sum = start
        var before: Double
        repeat {
            power *= power
            before = sum
            sum += power * factor
            factor += factor
        } while sum != before
        return sum
    }

    private static func tau(_ start: Double) -> Double {
        if start == 0 || start == 1 { return 0 }
        var root = start
        var factor = 1.0
        var sum = 1 - start
        var before: Double
        repeat {
            root = root.squareRoot()
            before = sum
            factor *= 0.5
            sum -= (1 - root) * (1 - root) * factor
        } while sum != before
        return sum / 3
    }
}

/// MurmurHash2 with 64 bits, by Austin Appleby (public domain), as HyperLogLogs use it.
enum MurmurHash64A {
    static func hash(_ bytes: RawSpan, seed: UInt64) -> UInt64 {
        let multiplier: UInt64 = 0xc6a4_a793_5bd1_e995
        let count = bytes.byteCount
        var hash = seed ^ UInt64(count) &* multiplier
        var index = 0
        while count - index >= 8 {
            // Eight bytes are left.
            var word = UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            word = word &* multiplier
            word ^= word >> 47
            word = word &* multiplier
            hash ^= word
            hash = hash &* multiplier
            index += 8
        }
        if index < count {
            for offset in index..<count { hash ^= UInt64(bytes.byte(at: offset)) << UInt64(8 * (offset - index)) }
            hash = hash &* multiplier
        }
        hash ^= hash >> 47
        hash = hash &* multiplier
        return hash ^ hash >> 47
    }
}
