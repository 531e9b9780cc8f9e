public import RDBBytes
import RDBModel

/// Which of two inputs.
public enum Side: Int, Sendable, CaseIterable { case a, b }

/// A key as both inputs have it.
public enum KeyPair: Equatable, Sendable {
    case onlyA(KeyRecord)
    case onlyB(KeyRecord)
    case both(KeyRecord, KeyRecord)
}

/// Is shown the keys of two inputs. No closure: what it counts would be checked for exclusive access at each key.
public protocol KeyPairVisitor {
    mutating func visit(_ pair: KeyPair) throws(SpillError)
}

/// Brings together what two inputs hold at the same keys, in bounded memory.
///
/// Records are dealt out to 1024 partitions by the first bits of the key's digest. A partition that fills its part of the
/// memory is written to a temporary file. Afterwards the partitions are joined one by one in a table of the keys of both
/// sides; where a partition is too large for that, by further bits of the digest, one share of it after another.
///
/// Digests must be keyed with what nobody knows, so that no input can be made to fall into one partition.
///
/// Of a key that comes twice in one input the last one counts.
///
/// Memory: three quarters of `memory` for records, one quarter for the join.
public struct KeyTable: ~Copyable {
    /// So many that the table of one's keys is mostly in a processor's cache.
    fileprivate static let partitionBits: UInt64 = 10
    private static let partitionCount = 1 << Int(partitionBits)
    /// Less than a page of records at a time would make the file a heap of crumbs.
    public static let minMemory = 4 << 20

    private var records: PartitionedWords
    private let joinByteCount: Int

    /// Keys that came again in the same input, by side.
    public private(set) var duplicateCounts: [UInt64] = [0, 0]

    public init(isTimed: Bool, memory: Int) {
        self.init(isTimed: isTimed, memory: memory, joinByteCount: max(memory, Self.minMemory) / 4)
    }

    /// - Parameter joinByteCount: how large the table of a join may be.
    init(isTimed: Bool, memory: Int, joinByteCount: Int) {
        self.joinByteCount = joinByteCount
        records = PartitionedWords(
            partCount: Self.partitionCount * 2, recordWords: KeyRecords(isTimed: isTimed).wordCount,
            memory: max(memory, Self.minMemory) / 4 * 3)
    }

    /// Bytes that went to the temporary file.
    public var spilledByteCount: UInt64 { records.spilledByteCount }

    /// Adds records of a side, in the order of the input.
    public mutating func add(_ new: KeyRecords, _ side: Side) throws(SpillError) {
        // Ten bits and a side: one of the 2048 parts.
        try records.append(new.words) { Int($0 >> (64 - Self.partitionBits)) * 2 + side.rawValue }
    }

    /// Shows every key of either side, in no order. Empties the table.
    public mutating func join<V: KeyPairVisitor>(into visitor: inout V) throws(SpillError) {
        let wordCount = records.recordWords
        var table = JoinTable(wordCount: wordCount)
        for partition in 0..<Self.partitionCount {
            if Interrupt.isRequested { throw .interrupted }
            let part = partition * 2
            let counts = (records.recordCount(of: part), records.recordCount(of: part + 1))
            let (count, larger) = (counts.0 + counts.1, max(counts.0, counts.1))
            // Shares by the bits behind those that chose the partition.
            var shareBits: UInt64 = 0
            while JoinTable.byteCount(records: count >> Int(shareBits), wordCount) > joinByteCount, shareBits < 32 {
                shareBits += 1
            }
            for share in 0..<UInt64(1) << shareBits {
                // Mostly the same keys on both sides; where not, the table grows.
                table.clear(for: larger >> Int(shareBits))
                for side in Side.allCases {
                    unsafe try records.visit(part + side.rawValue) {
                        unsafe table.add($0, side, share: share, shareBits)
                    }
                }
                try table.show(to: &visitor)
            }
            records.remove(part)
            records.remove(part + 1)
        }
        duplicateCounts = table.duplicateCounts
    }
}

/// Keys of both sides by open addressing: key (2 words), which sides have it (1), then what each has (the rest of a
/// record).
private struct JoinTable {
    private let wordCount: Int
    private let slotWords: Int
    private var words: [UInt64] = []
    private var mask = 0
    private var used = 0
    var duplicateCounts: [UInt64] = [0, 0]

    init(wordCount: Int) {
        self.wordCount = wordCount
        slotWords = Self.slotWords(wordCount)
    }

    private static func slotWords(_ wordCount: Int) -> Int { 3 + 2 * (wordCount - 2) }

    /// Never more than four fifths full.
    private static func capacity(records: Int) -> Int {
        var capacity = 64
        while capacity < records + records / 4 { capacity *= 2 }
        return capacity
    }

    static func byteCount(records: Int, _ wordCount: Int) -> Int {
        capacity(records: records) * slotWords(wordCount) * 8
    }

    mutating func clear(for records: Int) {
        let capacity = Self.capacity(records: records)
        used = 0
        if words.count == capacity * slotWords {
            unsafe words.withUnsafeMutableBufferPointer { unsafe $0.update(repeating: 0) }
        } else {
            words = Array(repeating: 0, count: capacity * slotWords)
        }
        mask = capacity - 1
    }

    /// With more keys than this, the table has to grow before another comes.
    private var fullCount: Int { (mask + 1) / 5 * 4 }

    /// Whole records.
    @unsafe mutating func add(
        _ records: UnsafeBufferPointer<UInt64>, _ side: Side, share: UInt64, _ shareBits: UInt64
    ) {
        let bit: UInt64 = side == .a ? 1 : 2
        let place = 3 + (side == .a ? 0 : wordCount - 2)
        var index = 0
        while index < records.count {
            if used > fullCount { grow() }
            index = unsafe add(records, from: index, bit, place, side, share, shareBits)
        }
    }

    /// Adds records until the table is nearly full. Every slot lies within `words`, which has `mask + 1` of them, and
    /// records are whole.
    @unsafe private mutating func add(
        _ records: UnsafeBufferPointer<UInt64>, from start: Int, _ bit: UInt64, _ place: Int, _ side: Side,
        _ share: UInt64, _ shareBits: UInt64
    ) -> Int {
        let (mask, slotWords, valueWords) = (mask, slotWords, wordCount - 2)
        var room = fullCount - used
        var duplicates: UInt64 = 0
        var index = start
        unsafe words.withUnsafeMutableBufferPointer { words in
            while index < records.count, room >= 0 {
                let (high, low) = unsafe (records[index], records[index + 1])
                if shareBits > 0, (high << KeyTable.partitionBits) >> (64 - shareBits) != share {
                    index += valueWords + 2
                    continue
                }
                var slot = Int(truncatingIfNeeded: low) & mask
                var at = unsafe words.baseAddress! + slot * slotWords
                while unsafe at[2] != 0, unsafe at[0] != high || at[1] != low {
                    slot = (slot + 1) & mask
                    unsafe at = words.baseAddress! + slot * slotWords
                }
                if unsafe at[2] == 0 {
                    room -= 1
                    unsafe at[0] = high
                    unsafe at[1] = low
                } else if unsafe at[2] & bit != 0 {
                    duplicates += 1
                }
                unsafe at[2] |= bit
                for word in 0..<valueWords { unsafe at[place + word] = records[index + 2 + word] }
                index += valueWords + 2
            }
        }
        used = (mask + 1) / 5 * 4 - room
        duplicateCounts[side.rawValue] += duplicates
        return index
    }

    private mutating func grow() {
        let old = words
        let capacity = (mask + 1) * 2
        words = Array(repeating: 0, count: capacity * slotWords)
        mask = capacity - 1
        for from in stride(from: 0, to: old.count, by: slotWords) where old[from + 2] != 0 {
            var slot = Int(truncatingIfNeeded: old[from + 1]) & mask
            while words[slot * slotWords + 2] != 0 { slot = (slot + 1) & mask }
            for word in 0..<slotWords { words[slot * slotWords + word] = old[from + word] }
        }
    }

    func show<V: KeyPairVisitor>(to visitor: inout V) throws(SpillError) {
        for at in stride(from: 0, to: words.count, by: slotWords) where words[at + 2] != 0 {
            let key = Digest128(high: words[at], low: words[at + 1])
            func record(_ place: Int) -> KeyRecord {
                KeyRecord(key: key, words, at: at + place, wordCount: wordCount)
            }
            switch words[at + 2] {
            case 1: try visitor.visit(.onlyA(record(3)))
            case 2: try visitor.visit(.onlyB(record(3 + wordCount - 2)))
            default: try visitor.visit(.both(record(3), record(3 + wordCount - 2)))
            }
        }
    }
}
