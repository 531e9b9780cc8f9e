internal import CRDBKernels

/// CRC-64 "Jones" as RDB files and DUMP payloads carry it: polynomial 0xAD93D23594C935A9 reflected, initial value and
/// final xor 0. Check value of "123456789": 0xE9C6D914C4B8D9CA.
///
/// Carry-less multiplication where the processor has it, tables elsewhere; both live in the C target beside.
public struct CRC64: Equatable, Sendable {
    public private(set) var value: UInt64

    public init(_ value: UInt64 = 0) { self.value = value }

    public mutating func update(_ bytes: RawSpan) {
        value = unsafe bytes.withUnsafeBytes { unsafe rdb_crc64(value, $0.baseAddress, $0.count) }
    }

    /// The two forms by themselves, so that each can be held against the other.
    public static func byTable(_ bytes: RawSpan, from value: UInt64 = 0) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe rdb_crc64_table(value, $0.baseAddress, $0.count) }
    }

    /// nil where the processor has no carry-less multiplication.
    public static func byFolding(_ bytes: RawSpan, from value: UInt64 = 0) -> UInt64? {
        guard rdb_crc64_has_clmul() else { return nil }
        return unsafe bytes.withUnsafeBytes { unsafe rdb_crc64_clmul(value, $0.baseAddress, $0.count) }
    }
}
