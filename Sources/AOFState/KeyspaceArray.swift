import RDBBytes
import RDBFormat
import RDBModel

/// An array (Redis 8.8) as commands change it: texts by index, mostly without holes, and where the last was inserted.
///
/// Source: formats/commands.md §C.13, formats/newest.md §4.2, §10.5.
final class KeyspaceArray: StoredValue {
    /// 64 neighbours: which of them are there, and their texts without holes.
    private struct Page {
        var present: UInt64 = 0
        var texts: [[UInt8]] = []

        func position(_ slot: UInt64) -> Int { (present & ((1 << slot) - 1)).nonzeroBitCount }
        func has(_ slot: UInt64) -> Bool { present & (1 << slot) != 0 }

        /// - Returns: whether nothing was there.
        mutating func set(_ slot: UInt64, _ text: [UInt8]) -> Bool {
            if has(slot) {
                texts[position(slot)] = text
                return false
            }
            texts.insert(text, at: position(slot))
            present |= 1 << slot
            return true
        }

        mutating func remove(_ slots: UInt64) {
            let removed = present & slots
            if removed == present { texts = [] }
            for slot in (0..<64 as Range<UInt64>).reversed() where removed & (1 << slot) != 0 && !texts.isEmpty {
                texts.remove(at: position(slot))
            }
            present &= ~slots
        }
    }

    /// By index / 64.
    private var pages = OrderedMap<UInt64, Page>()
    private(set) var count: UInt64 = 0

    /// Where the last insertion went.
    var insertIndex: UInt64?

    /// No element has a higher index.
    static let maxIndex = UInt64.max - 1

    init() {}

    var isEmpty: Bool { count == 0 }

    var keyspaceValue: KeyspaceValue { .array(self) }

    static func from(_ value: KeyspaceValue) -> KeyspaceArray? {
        if case .array(let value) = value { value } else { nil }
    }

    func copy() -> KeyspaceArray {
        let copy = KeyspaceArray()
        copy.pages = pages
        copy.count = count
        copy.insertIndex = insertIndex
        return copy
    }

    // MARK: - Elements

    func text(at index: UInt64) -> [UInt8]? {
        guard let place = pages.find(index / 64), pages[place].has(index % 64) else { return nil }
        return pages[place].texts[pages[place].position(index % 64)]
    }

    func set(_ index: UInt64, _ text: [UInt8]) {
        if let place = pages.find(index / 64) {
            if pages[place].set(index % 64, text) { count += 1 }
        } else {
            pages.insert(index / 64, Page(present: 1 << (index % 64), texts: [text]))
            count += 1
        }
    }

    /// Removes all from `first` to `last`, both included.
    func remove(from first: UInt64, through last: UInt64) {
        guard first <= last else { return }
        var number = first / 64
        while let page = pages.first(from: number), page.key <= last / 64, let place = pages.find(page.key) {
            number = page.key
            var slots = UInt64.max
            if number == first / 64 { slots &= .max << (first % 64) }
            if number == last / 64 { slots &= .max >> (63 - last % 64) }
            count -= UInt64((page.value.present & slots).nonzeroBitCount)
            pages[place].remove(slots)
            if pages[place].present == 0 { pages.remove(at: place) }
            number += 1
        }
    }

    /// The highest index and one, 0 of an empty array.
    var span: UInt64 {
        guard let page = pages.last else { return 0 }
        return page.key * 64 + UInt64(64 - page.value.present.leadingZeroBitCount)
    }

    func visit(_ body: (UInt64, [UInt8]) -> Void) {
        pages.visit { page in
            var position = 0
            for slot in 0..<64 as Range<UInt64> where page.value.has(slot) {
                body(page.key * 64 + slot, page.value.texts[position])
                position += 1
            }
        }
    }

    // MARK: - Insertion

    /// Where the next insertion goes; nil when there is no index left.
    var nextInsertIndex: UInt64? {
        guard let insertIndex else { return 0 }
        return insertIndex < Self.maxIndex ? insertIndex + 1 : nil
    }

    /// Makes the array fit a ring of another size: the newest elements remain, in order from 0 on.
    /// Source: formats/newest.md §10.5, ARRING.
    func resizeRing(_ size: UInt64) {
        let span = span
        guard span > 0 else { return }
        let kept: UInt64
        if size < span {
            kept = size
        } else if size > span, let insertIndex, insertIndex < Self.maxIndex, insertIndex + 1 < span {
            kept = span
        } else {
            return
        }
        var texts: [[UInt8]] = []
        var index = insertIndex.map { $0 % span } ?? span - 1
        while UInt64(texts.count) < kept, let text = text(at: index) {
            texts.append(text)
            index = index == 0 ? span - 1 : index - 1
        }
        let cursor: UInt64? = texts.isEmpty ? nil : UInt64(texts.count) - 1
        pages = OrderedMap()
        count = 0
        for (index, text) in texts.reversed().enumerated() { set(UInt64(index), text) }
        insertIndex = cursor
    }

    func insertIntoRing(_ size: UInt64, _ text: [UInt8]) {
        var index = nextInsertIndex ?? UInt64.max
        if index >= size { index %= size }
        set(index, text)
        insertIndex = index
    }

    // MARK: - Writing

    func layout(_ family: RDBFamily) -> RDBType { .array }

    func append(to out: inout OutputBuffer, as layout: RDBType) {
        out.append(length: count)
        out.append(length: insertIndex == nil ? 0 : 1)
        if let insertIndex { out.append(length: insertIndex) }
        visit { index, text in
            out.append(length: index)
            // Readers look at texts themselves, so this tag serves for all of them.
            out.append(length: 0)
            out.append(text: text.rawSpan)
        }
    }
}

struct ArrayLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = KeyspaceArray()
    private var index: UInt64 = 0

    var value: KeyspaceValue { .array(loaded) }

    mutating func arrayInsertIndex(_ index: UInt64) { loaded.insertIndex = index }
    mutating func arrayIndex(_ index: UInt64) { self.index = index }
    mutating func text(_ bytes: RawSpan, as role: TextRole) { loaded.set(index, bytes.array) }
}
