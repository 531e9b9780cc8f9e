import RDBBytes
public import RDBSinks

/// What commands for a target could not carry: counted, with the first keys of it.
public struct LossTally: Sendable {
    public struct Example: Equatable, Sendable {
        public var database: UInt64
        public var key: [UInt8]
        public var loss: CommandLoss
    }

    /// Keys that are named one by one.
    public static let maxExamples = 20

    /// Entries by single loss.
    public private(set) var counts: [CommandLoss: UInt64] = [:]
    /// Of data only, in the order of the file.
    public private(set) var examples: [Example] = []
    /// Entries of which some data is lost.
    public private(set) var entryCount: UInt64 = 0
    public var functionCount: UInt64 = 0

    public init() {}

    public var isOfData: Bool { entryCount > 0 || functionCount > 0 }

    public mutating func add(_ loss: CommandLoss, database: UInt64, key: RawSpan) {
        for single in CommandLoss.all where loss.contains(single) { counts[single, default: 0] += 1 }
        guard loss.isOfData else { return }
        entryCount += 1
        if examples.count < Self.maxExamples {
            examples.append(
                Example(database: database, key: key.array, loss: loss.subtracting(.bookkeeping)))
        }
    }

    public mutating func absorb(_ other: inout LossTally) {
        for (loss, count) in other.counts { counts[loss, default: 0] += count }
        entryCount += other.entryCount
        functionCount += other.functionCount
        for example in other.examples where examples.count < Self.maxExamples { examples.append(example) }
        other = LossTally()
    }
}
