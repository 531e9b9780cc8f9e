import Dispatch
public import RDBBytes
import Synchronization

/// What a pass over an input found of its keys, on the way to a `KeyTally`.
public struct KeyMarks: Sendable {
    private(set) var keys: [UInt64] = []
    private(set) var entries: [Digest128] = []

    public init() {}

    public var count: Int { keys.count }

    /// - Parameters:
    ///   - key: the hash of database and name.
    ///   - entry: the digest of all that the entry holds, its key included.
    public mutating func append(key: UInt64, entry: Digest128) {
        keys.append(key)
        entries.append(entry)
    }

    mutating func append(
        _ count: Int, keys newKeys: InlineArray<8, UInt64>, entries newEntries: InlineArray<8, Digest128>
    ) {
        let newKeys = newKeys.span.extracting(first: count)
        unsafe newKeys.withUnsafeBufferPointer { unsafe keys.append(contentsOf: $0) }
        let newEntries = newEntries.span.extracting(first: count)
        unsafe newEntries.withUnsafeBufferPointer { unsafe entries.append(contentsOf: $0) }
    }

    public mutating func removeAll() {
        keys.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}

/// Groups of keys: of 16384, by the first bits of a key's `ByteHash`.
public struct KeyGroups: Sendable {
    static let bits: UInt64 = 14
    static let count = 1 << Int(bits)

    private var isIn = [Bool](repeating: false, count: count)
    public private(set) var isEmpty = true

    static func group(of hash: UInt64) -> Int { Int(hash >> (64 - bits)) }

    mutating func insert(_ group: Int) {
        isIn[group] = true
        isEmpty = false
    }

    func union(_ other: KeyGroups) -> KeyGroups {
        var all = self
        for group in 0..<Self.count where other.isIn[group] { all.insert(group) }
        return all
    }

    public func contains(_ hash: UInt64) -> Bool { isIn[Self.group(of: hash)] }
}

/// Finds out which groups of keys can hold different data in two inputs, without keeping what they hold.
///
/// Of each group there is one sum of its entries' digests modulo 2^128, by side: where the sums agree, both inputs have the
/// same entries, in whatever order. Only where one input has a key more than once does their order matter, because the
/// last one counts; to see that none does, the hash of each key is kept, of side A alone: where sums agree,
/// the other side has the same keys.
///
/// So 8 bytes are kept for a key, where a `KeyTable` keeps 80 of both sides together.
///
/// Digests must be keyed with what nobody knows.
///
/// Memory: `memory`, of which a quarter is for a set of the keys of one part; and 512 KiB of sums.
public struct KeyTally: ~Copyable {
    private static let partBits: UInt64 = 10
    /// Of side A's groups, and behind them of side B's.
    private var sums = [Digest128](repeating: Digest128(), count: KeyGroups.count * 2)
    private var keys: PartitionedWords
    private let setByteCount: Int

    public init(memory: Int) {
        let memory = max(memory, KeyTable.minMemory)
        self.init(memory: memory, setByteCount: memory / 4)
    }

    /// - Parameter setByteCount: how large a set of keys may be.
    init(memory: Int, setByteCount: Int) {
        self.setByteCount = setByteCount
        keys = PartitionedWords(partCount: 1 << Int(Self.partBits), recordWords: 1, memory: memory / 4 * 3)
    }

    /// Bytes that went to the temporary file.
    var spilledByteCount: UInt64 { keys.spilledByteCount }

    public mutating func add(_ marks: KeyMarks, _ side: Side) throws(SpillError) {
        let first = side.rawValue * KeyGroups.count
        for index in marks.keys.indices {
            sums[first + KeyGroups.group(of: marks.keys[index])] &+= marks.entries[index]
        }
        if side == .a { try keys.append(marks.keys) { Int($0 >> (64 - Self.partBits)) } }
    }

    /// The groups in which something can differ: their sums do, or a key comes twice.
    /// - Parameter threads: how many look through the keys; they share the memory for sets.
    public consuming func suspects(threads: Int = 1) throws(SpillError) -> KeyGroups {
        var groups = KeyGroups()
        for group in 0..<KeyGroups.count where sums[group] != sums[KeyGroups.count + group] { groups.insert(group) }
        let (threads, setByteCount) = (max(1, threads), setByteCount)
        let keys = keys
        let found = Mutex<Result<KeyGroups, SpillError>>(.success(groups))
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            do throws(SpillError) {
                let more = try Self.duplicates(keys, thread, of: threads, setByteCount: setByteCount / threads)
                found.withLock { $0 = $0.map { $0.union(more) } }
            } catch { found.withLock { $0 = .failure(error) } }
        }
        return try found.withLock { $0 }.get()
    }

    /// Groups of keys that come twice in every so manieth part. Empties these parts.
    private static func duplicates(
        _ keys: borrowing PartitionedWords, _ thread: Int, of threads: Int, setByteCount: Int
    ) throws(SpillError) -> KeyGroups {
        var groups = KeyGroups()
        var set = HashSet64()
        for part in stride(from: thread, to: keys.partCount, by: threads) {
            if Interrupt.isRequested { throw .interrupted }
            let count = keys.recordCount(of: part)
            // Shares by the bits behind those that chose the part.
            var shareBits: UInt64 = 0
            while HashSet64.byteCount(for: count >> Int(shareBits)) > setByteCount, shareBits < 32 {
                shareBits += 1
            }
            for share in 0..<UInt64(1) << shareBits {
                set.removeAll(for: count >> Int(shareBits))
                unsafe try keys.visit(part) { piece in
                    for index in 0..<piece.count {
                        let key = unsafe piece[index]
                        if shareBits > 0, (key << partBits) >> (64 - shareBits) != share { continue }
                        if !set.insert(key) { groups.insert(KeyGroups.group(of: key)) }
                    }
                }
            }
            keys.remove(part)
        }
        return groups
    }
}
