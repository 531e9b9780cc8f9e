public import RDBBytes
public import RDBFormat
import RDBModel
import RDBTransforms

/// What a check finds: tells each fault as it is found, or collects them until another one absorbs them.
///
/// One thread at a time uses it.
public final class CheckFaults {
    /// Faults of one entry that are told one by one.
    public static let maxToldCount = 100

    /// nil where faults are collected until they are absorbed.
    private let report: ((EntryFault) -> Void)?
    fileprivate private(set) var collected: [EntryFault] = []
    public private(set) var count: UInt64 = 0

    /// Of the structure of the entry at hand.
    private var present: [DecodeError] = []
    private var untoldCount: UInt64 = 0

    init(_ report: ((EntryFault) -> Void)?) { self.report = report }

    /// Counts a fault and passes it on.
    public func tell(_ fault: EntryFault) {
        count += 1
        if let report { report(fault) } else { collected.append(fault) }
    }

    /// Keeps a fault of the entry at hand. A value of many bytes may have as many faults.
    fileprivate func note(_ error: DecodeError) {
        if present.count < Self.maxToldCount { present.append(error) } else { untoldCount += 1 }
    }

    /// Tells what was noted of the entry that the reader stands at.
    fileprivate func tellNotes(_ reader: borrowing RDBReader) {
        let key = reader.copyKey()
        for error in present {
            tell(EntryFault(error: error, database: reader.header.database, key: key, isSkipped: true))
        }
        present = []
        if untoldCount > 0 {
            let error = DecodeError(
                .limitExceeded, at: ByteLocation(offset: reader.header.valueOffset),
                expected: "at most 100 faults of one entry to tell", found: .unsigned(100 + untoldCount))
            tell(EntryFault(error: error, database: reader.header.database, key: key, isSkipped: true))
            count += untoldCount - 1
            untoldCount = 0
        }
    }

    fileprivate func absorb(_ other: CheckFaults) {
        // The other's count includes faults beyond those that are told.
        for fault in other.collected { report?(fault) }
        count += other.count
        other.collected = []
        other.count = 0
    }
}

/// Validates every value to its last byte, and tells each fault; of one entry up to `CheckFaults.maxToldCount`, the rest
/// is counted.
///
/// Memory: `StructureCheck`; with `findsDuplicateKeys` 11 to 32 bytes for each key of the file besides.
public struct CheckConsumer: ParallelConsumer, ~Copyable {
    /// A class: the loop tells of entries that do not decode while it has the consumer to itself.
    public let faults: CheckFaults
    private let version: RDBVersion
    private let findsDuplicateKeys: Bool
    private var check: StructureCheck
    private var seenKeys = HashSet64()

    private var seenSections: ServerCompatibility
    public private(set) var entryCount: UInt64 = 0

    /// - Parameter report: called with each fault; nil collects them for the consumer that absorbs this one.
    public init(version: RDBVersion, findsDuplicateKeys: Bool, report: ((EntryFault) -> Void)?) {
        self.version = version
        self.findsDuplicateKeys = findsDuplicateKeys
        seenSections = ServerCompatibility(version: version)
        let faults = CheckFaults(report)
        self.faults = faults
        check = StructureCheck { faults.note($0) }
    }

    public var faultCount: UInt64 { faults.count }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        entryCount += 1
        seenSections.add(reader.type)
        // Whether there is anything to tell is not asked of the class, which would look each time who else uses it.
        let isDuplicate = findsDuplicateKeys && checkKey(reader)
        check.begin(reader.header)
        defer { if isDuplicate || check.hasReported { faults.tellNotes(reader) } }
        try reader.readValue(into: &check)
        while check.startAnotherPass() {
            try reader.rewindToValue()
            try reader.readValue(into: &check)
        }
    }

    /// Whether the key was there before, which is noted.
    private mutating func checkKey(_ reader: borrowing RDBReader) -> Bool {
        if seenKeys.insert(ByteHash.hash(database: reader.header.database, key: reader.key)) { return false }
        faults.note(
            DecodeError(
                .duplicate, at: ByteLocation(offset: reader.header.typeOffset), expected: "each key once in a database",
                found: .described("a key that was there before")))
        return true
    }

    // MARK: - As one of several

    public func makeWorker() -> CheckConsumer {
        CheckConsumer(version: version, findsDuplicateKeys: false, report: nil)
    }

    public mutating func absorb(_ worker: inout CheckConsumer) {
        faults.absorb(worker.faults)
        entryCount += worker.entryCount
        seenSections.formUnion(worker.seenSections)
        check.formUnion(worker.check.modules)
        worker.entryCount = 0
    }

    public var isFull: Bool { faults.collected.count > 1000 }
    public var mustConsumeAlone: Bool { false }

    /// Who can load what was checked.
    public var compatibility: ServerCompatibility {
        var all = seenSections
        for module in check.modules { all.add(module) }
        return all
    }

    public mutating func section(_ item: RDBItem) {
        switch item {
        case .function: seenSections.addFunctions()
        case .moduleAux(let aux): seenSections.add(aux.module)
        default: break
        }
    }
}
