/// A set of hashes, by open addressing; what is put in stays.
struct HashSet64 {
    /// 0 is free; a hash of 0 counts as 1.
    private var places: [UInt64] = []
    private(set) var count = 0

    mutating func insert(_ hash: UInt64) {
        if count * 4 >= places.count * 3 { grow() }
        let hash = max(1, hash)
        let mask = places.count - 1
        var at = Int(truncatingIfNeeded: hash) & mask
        while places[at] != 0 {
            if places[at] == hash { return }
            at = (at + 1) & mask
        }
        places[at] = hash
        count += 1
    }

    func contains(_ hash: UInt64) -> Bool {
        if places.isEmpty { return false }
        let hash = max(1, hash)
        let mask = places.count - 1
        var at = Int(truncatingIfNeeded: hash) & mask
        while places[at] != 0 {
            if places[at] == hash { return true }
            at = (at + 1) & mask
        }
        return false
    }

    private mutating func grow() {
        let old = places
        places = Array(repeating: 0, count: max(64, old.count * 2))
        let mask = places.count - 1
        for hash in old where hash != 0 {
            var at = Int(truncatingIfNeeded: hash) & mask
            while places[at] != 0 { at = (at + 1) & mask }
            places[at] = hash
        }
    }
}
