/// A set of 64-bit hashes, by open addressing, at most three quarters full.
///
/// The hashes must be keyed: nobody may be able to make many that fall into one place. A hash of 0 counts as 1.
///
/// Memory: 8 bytes a place, and half as much again while it grows.
public struct HashSet64: Sendable {
    /// 0 is free. As many as a power of two, or none.
    private var places: [UInt64] = []
    public private(set) var count = 0

    public init() {}

    private static func capacity(for count: Int) -> Int {
        var capacity = 16
        while capacity < count * 2 { capacity *= 2 }
        return capacity
    }

    /// How large a set becomes by `removeAll(for:)`.
    public static func byteCount(for count: Int) -> Int { capacity(for: count) * 8 }

    /// Empties the set, and makes it large enough for so many.
    public mutating func removeAll(for count: Int) {
        let capacity = Self.capacity(for: count)
        if places.count == capacity {
            unsafe places.withUnsafeMutableBufferPointer { unsafe $0.update(repeating: 0) }
        } else {
            places = Array(repeating: 0, count: capacity)
        }
        self.count = 0
    }

    /// How many it was made for, or has grown to hold.
    public var roomyCount: Int { places.count / 2 }

    /// - Returns: false where the hash is in the set already.
    @discardableResult
    public mutating func insert(_ hash: UInt64) -> Bool {
        if count * 4 >= places.count * 3 { grow() }
        let hash = max(1, hash)
        let at = place(of: hash)
        if places[at] == hash { return false }
        places[at] = hash
        count += 1
        return true
    }

    public func contains(_ hash: UInt64) -> Bool {
        if places.isEmpty { return false }
        let hash = max(1, hash)
        return places[place(of: hash)] == hash
    }

    /// Where a hash, which is not 0, lies or would lie. There are places, and some are free.
    @inline(__always)
    private func place(of hash: UInt64) -> Int {
        let mask = places.count - 1
        var at = Int(truncatingIfNeeded: hash) & mask
        while places[at] != 0, places[at] != hash { at = (at + 1) & mask }
        return at
    }

    private mutating func grow() {
        let old = places
        places = Array(repeating: 0, count: max(16, old.count * 2))
        for hash in old where hash != 0 { places[place(of: hash)] = hash }
    }
}
