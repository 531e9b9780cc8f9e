import RDBBytes
import RDBFormat
public import RDBModel
public import RDBSinks

/// What commands for a target could not carry: counted, with the first keys of it.
public struct LossTally: Sendable {
    public struct Example: Equatable, Sendable {
        public var database: UInt64
        public var key: [UInt8]
        /// Of data only.
        public var loss: CommandLoss
        public var type: ValueType
        public var module: ModuleID?
    }

    /// Keys that are named one by one.
    public static let maxExamples = 20

    /// Entries by single loss.
    public private(set) var counts: [CommandLoss: UInt64] = [:]
    /// In the order of the file.
    public private(set) var examples: [Example] = []
    /// Entries of which some data is lost.
    public private(set) var entryCount: UInt64 = 0
    /// Libraries that the target has no functions for.
    public private(set) var functionCount: UInt64 = 0
    /// Libraries that the reader does not keep as a whole.
    public private(set) var cutFunctionCount: UInt64 = 0
    /// Entries that only a target with this module takes.
    public private(set) var neededModules: [String: UInt64] = [:]

    public init() {}

    public var isOfData: Bool { entryCount > 0 || functionCount > 0 || cutFunctionCount > 0 }

    /// A library that the target does not take, or that the reader does not keep as a whole.
    public mutating func add(_ library: FunctionLibrary) {
        if library.code.isCut { cutFunctionCount += 1 } else { functionCount += 1 }
    }

    /// Of the entry that the reader stands at.
    mutating func add(_ loss: CommandLoss, of value: ValueProbe, _ reader: borrowing RDBReader) {
        add(loss, reader.header, key: reader.key, module: value.module)
    }

    /// - Parameter header: says database and type.
    public mutating func add(_ loss: CommandLoss, _ header: EntryHeader, key: RawSpan, module: ModuleID? = nil) {
        for single in CommandLoss.all where loss.contains(single) { counts[single, default: 0] += 1 }
        guard loss.isOfData else { return }
        entryCount += 1
        if examples.count < Self.maxExamples {
            examples.append(
                Example(
                    database: header.database, key: key.array, loss: loss.subtracting(.bookkeeping),
                    type: header.type, module: module))
        }
    }

    mutating func need(_ module: ModuleID) { neededModules[module.name, default: 0] += 1 }

    public mutating func absorb(_ other: inout LossTally) {
        for (loss, count) in other.counts { counts[loss, default: 0] += count }
        for (name, count) in other.neededModules { neededModules[name, default: 0] += count }
        entryCount += other.entryCount
        functionCount += other.functionCount
        cutFunctionCount += other.cutFunctionCount
        for example in other.examples where examples.count < Self.maxExamples { examples.append(example) }
        other = LossTally()
    }
}
