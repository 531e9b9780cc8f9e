import RDBBytes

/// Where one argument lies, from its command's first byte.
@usableFromInline
struct ArgumentPlace {
    @usableFromInline var offset: Int
    @usableFromInline var byteCount: Int

    @inlinable
    init(offset: Int, byteCount: Int) {
        self.offset = offset
        self.byteCount = byteCount
    }
}

/// The arguments of one command, its name first, as slices of memory that their reader (or queue) owns: valid until
/// that is used again.
///
/// Why the loads are safe: every place was checked against the memory when it was noted, indexes are checked here, and
/// the compiler keeps the value from outliving what it was borrowed from.
@safe
public struct CommandArguments: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let places: UnsafePointer<ArgumentPlace>
    /// How many there are to be had: all of the command's, unless its reader keeps only a part of large commands.
    public let count: Int

    @usableFromInline @_lifetime(immortal)
    @unsafe init(base: UnsafeRawPointer, places: UnsafePointer<ArgumentPlace>, count: Int) {
        unsafe self.base = base
        unsafe self.places = places
        self.count = count
    }

    @inlinable
    public subscript(_ index: Int) -> RawSpan {
        @_lifetime(copy self)
        get {
            precondition(index >= 0 && index < count, "no such argument")
            let place = unsafe places[index]
            return unsafe _overrideLifetime(
                RawSpan(_unsafeStart: base + place.offset, byteCount: place.byteCount), copying: self)
        }
    }

    /// Whether an argument is this word of the program, which is given in lower case, in any letter case.
    @inlinable
    public func matches(_ index: Int, _ word: StaticString) -> Bool {
        guard index >= 0, index < count else { return false }
        let place = unsafe places[index]
        guard place.byteCount == word.utf8CodeUnitCount else { return false }
        return unsafe hasLetters(base + place.offset, word.utf8Start, place.byteCount)
    }

    @usableFromInline
    @unsafe func hasLetters(_ text: UnsafeRawPointer, _ word: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        for index in 0..<count {
            let byte = unsafe text.load(fromByteOffset: index, as: UInt8.self)
            let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
            if lower != (unsafe word[index]) { return false }
        }
        return true
    }

    /// Copies of all arguments, for what outlives them.
    public var arrays: [[UInt8]] {
        var arrays: [[UInt8]] = []
        for index in 0..<count { arrays.append(self[index].array) }
        return arrays
    }

    /// An argument that is an integer as servers want it: decimal, without sign or zeros in front.
    public func integer(_ index: Int) -> Int64? {
        guard index >= 0, index < count else { return nil }
        return Digits.parse(self[index])
    }
}

/// A growing list of places. Memory follows what is noted, never a count that a file states.
@safe
struct ArgumentPlaces: ~Copyable {
    private(set) var base: UnsafeMutablePointer<ArgumentPlace>
    private(set) var capacity: Int

    init(capacity: Int = 64) {
        unsafe base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    /// Makes room for one more than `count`, which are kept.
    mutating func grow(keeping count: Int) {
        let newCapacity = capacity * 2
        let newBase = UnsafeMutablePointer<ArgumentPlace>.allocate(capacity: newCapacity)
        // Both hold at least count places.
        unsafe newBase.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = newBase
        capacity = newCapacity
    }
}
