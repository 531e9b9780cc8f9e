import RDBBytes

/// Keys whose values may not be what a server has, because a command that named them could not be run.
public struct DoubtfulKeys: Sendable {
    private let keys: [UInt64: Set<[UInt8]>]

    public init() { keys = [:] }

    /// - Parameter keys: by database.
    public init(_ keys: [UInt64: Set<[UInt8]>]) { self.keys = keys }

    public var isEmpty: Bool { keys.isEmpty }
    public var count: Int { keys.values.reduce(0) { $0 + $1.count } }

    public func contains(database: UInt64, key: RawSpan) -> Bool {
        guard let keys = keys[database] else { return false }
        return keys.contains(key.array)
    }
}
