import RDBBytes

/// Copies of commands, in the order in which they were added, in memory that is used again.
///
/// Why the loads are safe: places are noted only of bytes that were appended to `bytes` just before.
@safe
public struct CommandQueue: ~Copyable {
    private var bytes = OutputBuffer(capacity: 4096)
    private var places = ArgumentPlaces()
    /// Where each command's places end.
    private var ends: [Int] = []

    public init() {}

    public var count: Int { ends.count }

    /// Bytes of memory that the commands take, about.
    public var byteCount: Int { bytes.byteCount + (ends.last ?? 0) * 16 + ends.count * 8 }

    /// The command at `index`, valid until the next change.
    public subscript(_ index: Int) -> CommandArguments {
        @_lifetime(borrow self)
        get {
            precondition(index >= 0 && index < ends.count, "no such command")
            let first = index == 0 ? 0 : ends[index - 1]
            let count = ends[index] - first
            // An argument of no bytes needs no base.
            let base = unsafe bytes.bytes.withUnsafeBytes { $0.baseAddress } ?? UnsafeRawPointer(places.base)
            let arguments = unsafe CommandArguments(base: base, places: places.base + first, count: count)
            return unsafe _overrideLifetime(arguments, borrowing: self)
        }
    }

    public mutating func append(_ arguments: borrowing CommandArguments) {
        var count = ends.last ?? 0
        for index in 0..<arguments.count {
            let argument = arguments[index]
            if count == places.capacity { places.grow(keeping: count) }
            unsafe places.base[count] = ArgumentPlace(offset: bytes.byteCount, byteCount: argument.byteCount)
            bytes.append(argument)
            count += 1
        }
        ends.append(count)
    }

    public mutating func removeAll() {
        bytes.truncate(to: 0)
        bytes.shrink(to: 1 << 20)
        ends.removeAll(keepingCapacity: ends.count < 1 << 16)
    }
}
