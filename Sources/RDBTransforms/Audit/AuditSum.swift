/// How many keys there are of a kind, and what they take.
public struct AuditSum: Equatable, Sendable {
    public var keys: UInt64 = 0
    /// In a server's memory, by the model.
    public var bytes: UInt64 = 0
    /// Of values in the file.
    public var serializedBytes: UInt64 = 0
    /// Keys that never expire.
    public var lasting: UInt64 = 0

    public init(keys: UInt64 = 0, bytes: UInt64 = 0, serializedBytes: UInt64 = 0, lasting: UInt64 = 0) {
        self.keys = keys
        self.bytes = bytes
        self.serializedBytes = serializedBytes
        self.lasting = lasting
    }

    @inlinable
    public static func += (left: inout AuditSum, right: AuditSum) {
        // A file may claim any size for many keys: sums stay at the highest number instead of failing.
        left.keys &+= right.keys
        left.bytes = left.bytes.addingWithoutOverflow(right.bytes)
        left.serializedBytes = left.serializedBytes.addingWithoutOverflow(right.serializedBytes)
        left.lasting &+= right.lasting
    }

    /// Takes away a part, or as much of it as there is, and returns what it took.
    mutating func take(_ part: AuditSum) -> AuditSum {
        if part.keys >= keys {
            // Nothing may be left that belongs to no key.
            let all = self
            self = AuditSum()
            return all
        }
        let taken = AuditSum(
            keys: min(keys, part.keys), bytes: min(bytes, part.bytes),
            serializedBytes: min(serializedBytes, part.serializedBytes), lasting: min(lasting, part.lasting))
        keys -= taken.keys
        bytes -= taken.bytes
        serializedBytes -= taken.serializedBytes
        lasting -= taken.lasting
        return taken
    }
}

extension UInt64 {
    @inlinable
    func addingWithoutOverflow(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    @inlinable
    func subtractingWithoutOverflow(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
