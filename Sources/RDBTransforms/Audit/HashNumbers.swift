/// Numbers by 64-bit hashes that are evenly spread already: a table with open addressing.
struct HashNumbers: Sendable {
    private var hashes: [UInt64] = Array(repeating: 0, count: 64)
    /// -1 is free.
    private var numbers: [Int32] = Array(repeating: -1, count: 64)
    private var count = 0

    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (hashes.count - 1) }

    subscript(_ hash: UInt64) -> Int? {
        var place = home(hash)
        while numbers[place] >= 0 {
            if hashes[place] == hash { return Int(numbers[place]) }
            place = (place + 1) & (hashes.count - 1)
        }
        return nil
    }

    /// Adds a hash that is not there.
    mutating func insert(_ hash: UInt64, _ number: Int) {
        if count * 2 >= hashes.count { grow() }
        var place = home(hash)
        while numbers[place] >= 0 { place = (place + 1) & (hashes.count - 1) }
        hashes[place] = hash
        numbers[place] = Int32(number)
        count += 1
    }

    private mutating func grow() {
        let (oldHashes, oldNumbers) = (hashes, numbers)
        hashes = Array(repeating: 0, count: oldHashes.count * 2)
        numbers = Array(repeating: -1, count: oldNumbers.count * 2)
        count = 0
        for (place, number) in oldNumbers.enumerated() where number >= 0 { insert(oldHashes[place], Int(number)) }
    }

    /// Takes a hash away that is there, and moves those up that came to lie behind it.
    mutating func remove(_ hash: UInt64) {
        let mask = hashes.count - 1
        var gap = home(hash)
        while numbers[gap] < 0 || hashes[gap] != hash {
            if numbers[gap] < 0 { return }
            gap = (gap + 1) & mask
        }
        count -= 1
        var next = (gap + 1) & mask
        while numbers[next] >= 0 {
            if (next - home(hashes[next])) & mask >= (next - gap) & mask {
                hashes[gap] = hashes[next]
                numbers[gap] = numbers[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        numbers[gap] = -1
    }
}
