/// A digest that people see as hexadecimal digits.
public protocol HexDigest: Equatable, Sendable, CustomStringConvertible {
    func appendHex(to out: inout OutputBuffer)
}

extension HexDigest {
    public var description: String {
        var out = OutputBuffer(capacity: 64)
        appendHex(to: &out)
        return String(decoding: out.bytes.array, as: UTF8.self)
    }
}

/// A digest of 128 bits, and a number: digests of elements in no order are added up.
public struct Digest128: Hashable, Comparable, Sendable, HexDigest {
    public var high: UInt64
    public var low: UInt64

    @inlinable
    public init(high: UInt64 = 0, low: UInt64 = 0) {
        self.high = high
        self.low = low
    }

    /// Modulo 2^128.
    @inlinable
    public static func &+= (left: inout Digest128, right: Digest128) {
        let (low, carries) = left.low.addingReportingOverflow(right.low)
        left.low = low
        left.high = left.high &+ right.high &+ (carries ? 1 : 0)
    }

    @inlinable
    public static func < (left: Digest128, right: Digest128) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// 32 hexadecimal digits, highest first.
    public func appendHex(to out: inout OutputBuffer) {
        out.append(hex: high, digits: 16)
        out.append(hex: low, digits: 16)
    }
}

/// The sum of digests that have no order, and how many they are.
public struct DigestSum: Equatable, Sendable {
    public var total = Digest128()
    public var count: UInt64 = 0

    @inlinable public init() {}

    @inlinable
    public mutating func add(_ digest: Digest128) {
        total &+= digest
        count &+= 1
    }

    @inlinable
    public mutating func add(_ other: DigestSum) {
        total &+= other.total
        count &+= other.count
    }
}
