import RDBKit

/// A short text for each hash slot, so that a key of any slot can be given a name.
struct SlotTags {
    private let tags: [[UInt8]]

    /// Numbers in base 36 are tried until each slot has one: some 160 000, a few milliseconds.
    init() {
        var tags = [[UInt8]](repeating: [], count: HashSlot.count)
        var missing = tags.count
        var number: UInt32 = 0
        while missing > 0 {
            let text = Array(String(number, radix: 36).utf8)
            let slot = HashSlot.of(text.rawSpan)
            if tags[slot].isEmpty {
                tags[slot] = text
                missing -= 1
            }
            number += 1
        }
        self.tags = tags
    }

    /// A name for the time in which a key is built, in the key's own slot and nobody else's.
    func temporaryKey(slot: Int, run: UInt64, number: UInt64) -> [UInt8] {
        Array("rdbkit:{".utf8) + tags[slot]
            + Array("}:\(String(run, radix: 16)):\(String(number, radix: 16))".utf8)
    }
}
