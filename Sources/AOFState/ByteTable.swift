import Glibc
import RDBBytes

/// A table from byte strings to values, in the order in which they were put in: the keyspace, the fields of hashes, the
/// members of sets and sorted sets.
///
///     let (index, isNew) = table.findOrInsert(key, 0)
///     table[index] += 1
///     if let index = table.find(key) { table.remove(at: index) }
///     var next = table.firstIndex
///     while let index = next { use(table.key(at: index), table[index]); next = table.index(after: index) }
///
/// An index stays good until the next insertion or removal. Entries lie in a row, their keys' bytes in another; places
/// of 8 bytes (half a hash, and which entry) find them by open addressing, linear probing. What is removed leaves a gap
/// in the row; gaps never outnumber entries by much, and go when the row is made anew.
///
/// Memory: 16 bytes an entry and the value, the key's bytes, and 11 to 21 bytes for places; at most twice that.
/// Up to 8 entries have no places.
@safe
struct ByteTable<Value>: ~Copyable {
    private struct Entry {
        var keyOffset: Int
        /// -1: a gap.
        var keyByteCount: Int
        var value: Value
    }

    private var entries: UnsafeMutablePointer<Entry>?
    private var entryCapacity = 0
    /// Gaps included.
    private var entryCount = 0
    /// No entry lies before it.
    private var firstEntry = 0
    /// Entries, without gaps.
    private(set) var count = 0
    /// How often entries got other indices, all of them keeping their order.
    private(set) var renumberingCount = 0

    private var keys: UnsafeMutableRawPointer?
    private var keyCapacity = 0
    private var keyByteCount = 0
    /// Of keys that are no longer there.
    private var lostKeyByteCount = 0

    /// The high half of the hash, and 1 + the entry's number; 0 is free. A power of two, or none for small tables.
    private var places: UnsafeMutablePointer<UInt64>?
    private var placeCount = 0

    private static var smallCount: Int { 8 }

    init() {}

    deinit {
        // All entries below entryCount are initialised; gaps have been deinitialised.
        unsafe Self.destroy(entries, entryCount)
        unsafe free(keys)
        unsafe places?.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// Bytes of all keys.
    var totalKeyByteCount: Int { keyByteCount - lostKeyByteCount }

    // MARK: - Finding

    func find(_ key: RawSpan) -> Int? {
        if unsafe places == nil { return findInRow(key) }
        return find(key, ByteHash.hash(key))
    }

    private func find(_ key: RawSpan, _ hash: UInt64) -> Int? {
        let mask = placeCount - 1
        let high = hash >> 32
        var at = Int(truncatingIfNeeded: high) & mask
        while true {
            // at is masked to the places there are; a place names an entry that is there.
            let place = unsafe places.unsafelyUnwrapped[at]
            if place == 0 { return nil }
            if place >> 32 == high {
                let index = Int(truncatingIfNeeded: place & 0xffff_ffff) - 1
                if holds(key, at: index) { return index }
            }
            at = (at + 1) & mask
        }
    }

    private func findInRow(_ key: RawSpan) -> Int? {
        var index = firstEntry
        while index < entryCount {
            if holds(key, at: index) { return index }
            index += 1
        }
        return nil
    }

    @inline(__always)
    private func holds(_ key: RawSpan, at index: Int) -> Bool {
        // index < entryCount; its key lies within keys, or is a gap and has no count that a span could have.
        let entry = unsafe entries.unsafelyUnwrapped + index
        let byteCount = unsafe entry.pointee.keyByteCount
        guard byteCount == key.byteCount else { return false }
        if byteCount == 0 { return true }
        let offset = unsafe entry.pointee.keyOffset
        return unsafe key.withUnsafeBytes {
            unsafe memcmp($0.baseAddress.unsafelyUnwrapped, keys.unsafelyUnwrapped + offset, byteCount) == 0
        }
    }

    func contains(_ key: RawSpan) -> Bool { find(key) != nil }

    @_lifetime(borrow self)
    func key(at index: Int) -> RawSpan {
        checkIndex(index)
        let entry = unsafe entries.unsafelyUnwrapped + index
        guard unsafe entry.pointee.keyByteCount > 0 else { return RawSpan() }
        // The key lies within keys, which stay as long as the table is not changed.
        return unsafe _overrideLifetime(
            RawSpan(
                _unsafeStart: keys.unsafelyUnwrapped + entry.pointee.keyOffset, byteCount: entry.pointee.keyByteCount),
            borrowing: self)
    }

    /// The key, where the table is a property of a class, out of which no span may be handed.
    func withKey<R>(at index: Int, _ body: (RawSpan) -> R) -> R { body(key(at: index)) }

    subscript(_ index: Int) -> Value {
        @inline(__always)
        get {
            checkIndex(index)
            return unsafe entries.unsafelyUnwrapped[index].value
        }
        @inline(__always)
        _modify {
            checkIndex(index)
            yield unsafe &(entries.unsafelyUnwrapped + index).pointee.value
        }
    }

    @inline(__always)
    private func checkIndex(_ index: Int) {
        precondition(
            index >= 0 && index < entryCount && (unsafe entries.unsafelyUnwrapped[index].keyByteCount) >= 0,
            "no such entry")
    }

    // MARK: - In order

    var firstIndex: Int? { index(from: firstEntry) }

    func index(after index: Int) -> Int? { self.index(from: index + 1) }

    private func index(from start: Int) -> Int? {
        var index = start
        while index < entryCount {
            if unsafe entries.unsafelyUnwrapped[index].keyByteCount >= 0 { return index }
            index += 1
        }
        return nil
    }

    // MARK: - Changing

    /// Where a key is; put in with `value` if it was not there.
    mutating func findOrInsert(_ key: RawSpan, _ value: @autoclosure () -> Value) -> (index: Int, isNew: Bool) {
        if unsafe places == nil {
            if let index = findInRow(key) { return (index, false) }
            return (append(key, value(), nil), true)
        }
        let hash = ByteHash.hash(key)
        if let index = find(key, hash) { return (index, false) }
        return (append(key, value(), hash), true)
    }

    /// Puts in a key that is not there.
    @discardableResult
    mutating func insert(_ key: RawSpan, _ value: consuming Value) -> Int {
        append(key, value, unsafe places == nil ? nil : ByteHash.hash(key))
    }

    /// Puts in a key, or gives it another value.
    @discardableResult
    mutating func set(_ key: RawSpan, _ value: consuming Value) -> Int {
        let new = value
        let (index, isNew) = findOrInsert(key, new)
        if !isNew { self[index] = new }
        return index
    }

    @discardableResult
    mutating func remove(_ key: RawSpan) -> Value? {
        guard let index = find(key) else { return nil }
        return remove(at: index)
    }

    @discardableResult
    mutating func remove(at index: Int) -> Value {
        let value = takeOut(index)
        makeDense()
        return value
    }

    /// Removes many at once; indices stay as they are until all are gone.
    mutating func remove(atAll indices: [Int]) {
        for index in indices { _ = takeOut(index) }
        makeDense()
    }

    private mutating func takeOut(_ index: Int) -> Value {
        checkIndex(index)
        if unsafe places != nil { freePlace(of: index) }
        let entry = unsafe entries.unsafelyUnwrapped + index
        let byteCount = unsafe entry.pointee.keyByteCount
        lostKeyByteCount += byteCount
        unsafe entry.pointee.keyByteCount = -1
        // A gap's value is not initialised.
        let value = unsafe Self.moveValue(entry)
        count -= 1
        if index == firstEntry { firstEntry = self.index(from: index) ?? entryCount }
        if index == entryCount - 1 { entryCount -= 1 }
        return value
    }

    /// After removals: gives memory back where gaps or lost keys outnumber what is left.
    private mutating func makeDense() {
        if count == 0 {
            entryCount = 0
            firstEntry = 0
            keyByteCount = 0
            lostKeyByteCount = 0
            if entryCapacity > 64 || keyCapacity > 4096 { self = ByteTable() }
        } else if entryCount - count > 16 + count
            || lostKeyByteCount > totalKeyByteCount + 64 * entryCount + 1024
        {
            remake(entryCapacity: max(count + count / 2, Self.smallCount))
        }
    }

    mutating func removeAll() { self = ByteTable() }

    /// Removes the entries that `isUnwanted`.
    mutating func removeAll(where isUnwanted: (RawSpan, Value) -> Bool) {
        var unwanted: [[UInt8]] = []
        var next = firstIndex
        while let index = next {
            let key = key(at: index)
            if isUnwanted(key, self[index]) { unwanted.append(key.array) }
            next = self.index(after: index)
        }
        for key in unwanted { remove(key.rawSpan) }
    }

    /// Room for so many, which must be known to come.
    mutating func reserve(_ count: Int) {
        if count > entryCapacity { remake(entryCapacity: count) }
    }

    func copy(_ copyValue: (Value) -> Value) -> ByteTable {
        var copy = ByteTable()
        copy.reserve(count)
        var next = firstIndex
        while let index = next {
            copy.insert(key(at: index), copyValue(self[index]))
            next = self.index(after: index)
        }
        return copy
    }

    func copy() -> ByteTable { copy { $0 } }
}

// MARK: - The row of entries

extension ByteTable {
    private mutating func append(_ key: RawSpan, _ value: consuming Value, _ hash: UInt64?) -> Int {
        if entryCount == entryCapacity {
            let gaps = entryCount - count
            remake(entryCapacity: gaps > entryCount / 4 ? entryCapacity : max(4, entryCapacity * 2))
        }
        let offset = appendKey(key)
        let index = entryCount
        // There is room: entryCount < entryCapacity.
        unsafe (entries.unsafelyUnwrapped + index).initialize(
            to: Entry(keyOffset: offset, keyByteCount: key.byteCount, value: value))
        entryCount += 1
        count += 1
        if unsafe places != nil {
            notePlace(hash ?? ByteHash.hash(key), index)
        } else if entryCount > Self.smallCount {
            makePlaces()
        }
        return index
    }

    private mutating func appendKey(_ key: RawSpan) -> Int {
        let byteCount = key.byteCount
        if keyCapacity - keyByteCount < byteCount {
            var capacity = max(32, keyCapacity)
            while capacity - keyByteCount < byteCount { capacity *= 2 }
            unsafe keys = realloc(keys, capacity)
            precondition(unsafe keys != nil, "out of memory")
            keyCapacity = capacity
        }
        let offset = keyByteCount
        if byteCount > 0 {
            // There is room for byteCount behind keyByteCount.
            unsafe key.withUnsafeBytes {
                unsafe (keys.unsafelyUnwrapped + offset).copyMemory(
                    from: $0.baseAddress.unsafelyUnwrapped, byteCount: byteCount)
            }
        }
        keyByteCount += byteCount
        return offset
    }

    /// The row without gaps, keys' bytes without lost ones, and places for them.
    private mutating func remake(entryCapacity newCapacity: Int) {
        let newEntries = UnsafeMutablePointer<Entry>.allocate(capacity: newCapacity)
        let newKeyCapacity = max(32, totalKeyByteCount + totalKeyByteCount / 4)
        let keepsKeys = lostKeyByteCount == 0
        let newKeys = keepsKeys ? (unsafe keys) : (unsafe malloc(newKeyCapacity))
        precondition(unsafe keepsKeys || newKeys != nil, "out of memory")
        // The numbers that entries had and will have, where they change.
        let hasGaps = entryCount != count
        if hasGaps { renumberingCount += 1 }
        var newNumbers: [UInt32] = []
        if hasGaps { newNumbers = Array(repeating: 0, count: entryCount) }
        var newCount = 0
        var newKeyByteCount = 0
        for index in 0..<entryCount {
            let entry = unsafe entries.unsafelyUnwrapped + index
            let byteCount = unsafe entry.pointee.keyByteCount
            guard byteCount >= 0 else { continue }
            if hasGaps { newNumbers[index] = UInt32(newCount) }
            // newCapacity is at least count, and newKeyCapacity the bytes of all keys that are left.
            let target = unsafe newEntries + newCount
            unsafe target.moveInitialize(from: entry, count: 1)
            if !keepsKeys {
                if byteCount > 0 {
                    unsafe (newKeys.unsafelyUnwrapped + newKeyByteCount).copyMemory(
                        from: keys.unsafelyUnwrapped + target.pointee.keyOffset, byteCount: byteCount)
                }
                unsafe target.pointee.keyOffset = newKeyByteCount
                newKeyByteCount += byteCount
            }
            newCount += 1
        }
        unsafe entries?.deallocate()
        unsafe entries = newEntries
        entryCapacity = newCapacity
        entryCount = newCount
        firstEntry = 0
        if !keepsKeys {
            unsafe free(keys)
            unsafe keys = newKeys
            keyCapacity = newKeyCapacity
            keyByteCount = newKeyByteCount
            lostKeyByteCount = 0
        }
        if hasGaps, unsafe places != nil {
            for at in 0..<placeCount {
                let place = unsafe places.unsafelyUnwrapped[at]
                guard place != 0 else { continue }
                let number = newNumbers[Int(truncatingIfNeeded: place & 0xffff_ffff) - 1]
                unsafe places.unsafelyUnwrapped[at] = place & ~0xffff_ffff | UInt64(number + 1)
            }
        }
    }

    private static func destroy(_ entries: UnsafeMutablePointer<Entry>?, _ entryCount: Int) {
        guard let entries = unsafe entries else { return }
        for index in 0..<entryCount where unsafe entries[index].keyByteCount >= 0 {
            unsafe (entries + index).deinitialize(count: 1)
        }
        unsafe entries.deallocate()
    }

    /// Takes the value out of an entry that becomes a gap.
    private static func moveValue(_ entry: UnsafeMutablePointer<Entry>) -> Value {
        let value = unsafe entry.pointee.value
        unsafe entry.deinitialize(count: 1)
        unsafe UnsafeMutableRawPointer(entry).storeBytes(
            of: -1, toByteOffset: MemoryLayout<Entry>.offset(of: \.keyByteCount).unsafelyUnwrapped, as: Int.self)
        return value
    }
}

// MARK: - Places

extension ByteTable {
    private mutating func makePlaces() {
        replacePlaces(32)
        for index in 0..<entryCount where unsafe entries.unsafelyUnwrapped[index].keyByteCount >= 0 {
            putPlace(ByteHash.hash(key(at: index)) & ~0xffff_ffff | UInt64(index + 1))
        }
    }

    private mutating func replacePlaces(_ newCount: Int) {
        let old = unsafe places
        let oldCount = placeCount
        let new = UnsafeMutablePointer<UInt64>.allocate(capacity: newCount)
        unsafe new.initialize(repeating: 0, count: newCount)
        unsafe places = new
        placeCount = newCount
        guard let old = unsafe old else { return }
        for at in 0..<oldCount where unsafe old[at] != 0 { putPlace(unsafe old[at]) }
        unsafe old.deallocate()
    }

    private mutating func notePlace(_ hash: UInt64, _ index: Int) {
        precondition(index < Int(UInt32.max), "a table of at most 4 billion entries")
        // At most three quarters are taken.
        if count * 4 > placeCount * 3 { replacePlaces(placeCount * 2) }
        putPlace(hash & ~0xffff_ffff | UInt64(index + 1))
    }

    @inline(__always)
    private func putPlace(_ place: UInt64) {
        let mask = placeCount - 1
        var at = Int(truncatingIfNeeded: place >> 32) & mask
        // at is masked to the places there are, of which some are free.
        while unsafe places.unsafelyUnwrapped[at] != 0 { at = (at + 1) & mask }
        unsafe places.unsafelyUnwrapped[at] = place
    }

    /// Frees the place of an entry, and moves those behind it up, so that no search ends too early.
    private mutating func freePlace(of index: Int) {
        let mask = placeCount - 1
        let places = unsafe self.places.unsafelyUnwrapped
        var free = Int(truncatingIfNeeded: ByteHash.hash(key(at: index)) >> 32) & mask
        while Int(truncatingIfNeeded: unsafe places[free] & 0xffff_ffff) != index + 1 { free = (free + 1) & mask }
        var at = free
        while true {
            at = (at + 1) & mask
            let place = unsafe places[at]
            if place == 0 { break }
            let home = Int(truncatingIfNeeded: place >> 32) & mask
            // Whether it may lie in the free place: that is not before its home.
            if (at - home) & mask >= (at - free) & mask {
                unsafe places[free] = place
                free = at
            }
        }
        unsafe places[free] = 0
    }
}
