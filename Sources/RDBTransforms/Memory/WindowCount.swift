import Glibc

/// How many windows of time the expiries of a hash's fields fall into, which decides what Valkey's volatile set of them
/// takes. An estimate in 256 bytes, within about 7 %: HyperLogLog.
///
/// Sources: valkey-io/valkey src/vset.c (windows of 8192 ms, vectors of up to 127 fields); Flajolet and others:
/// HyperLogLog (2007).
struct WindowCount: Sendable {
    private var registers: InlineArray<256, UInt8> = .init(repeating: 0)
    private var first: Int64?
    private var isOne = true

    mutating func add(_ expiresAt: Int64) {
        let window = expiresAt >> 13
        if first == nil { first = window }
        if first == window { return }
        isOne = false
        var hash = UInt64(bitPattern: window) &* 0x9e37_79b9_7f4a_7c15
        hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        hash ^= hash >> 32
        let rank = UInt8(min((hash >> 8).leadingZeroBitCount - 8, 55) + 1)
        let index = Int(hash & 255)
        if rank > registers[index] { registers[index] = rank }
    }

    private var estimate: Double {
        if isOne { return 1 }
        var (sum, empty) = (0.0, 0.0)
        for index in 0..<256 {
            sum += 1 / Double(1 << UInt64(registers[index]))
            if registers[index] == 0 { empty += 1 }
        }
        let raw = 0.718_273 * 256 * 256 / sum
        return raw < 640 && empty > 0 ? 256 * log(256 / empty) : raw
    }

    /// What the volatile set of so many fields takes.
    func byteCount(of count: UInt64, _ allocator: Allocator) -> UInt64 {
        if count < 2 { return 0 }
        // Up to 127 in one sorted vector.
        if count <= 127 { return allocator.size(16 &+ 8 &* count) }
        let windows = max(min(estimate, Double(count)), 1)
        let inWindow = Double(count) / windows
        // A radix tree of windows: mostly a branch, a run and an end for each.
        var each = windows < 2 ? 88.0 : 62
        if inWindow > 127 {
            let fields = UInt64(inWindow)
            each += Double(allocator.size(80) &+ 64 &* TableSizes.buckets(holding: fields, presized: 128))
        } else if inWindow > 1 {
            // Some windows have a single field, whose pointer is all.
            let shared = 1 - exp(1 - inWindow)
            each += shared * Double(allocator.size(16 &+ 8 &* UInt64(inWindow + 1)))
        }
        return 40 &+ UInt64(windows * each)
    }
}
