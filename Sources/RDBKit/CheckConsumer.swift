public import RDBBytes
public import RDBFormat
import RDBModel
import RDBTransforms

/// Validates every value to its last byte, and tells each fault; of one entry up to `maxFaultsTold`, the rest is counted.
///
/// Memory: `StructureCheck`; with `findsDuplicateKeys` 16 to 24 bytes for each key of the file besides.
public final class CheckConsumer: ParallelConsumer {
    /// nil where faults are collected until they are absorbed.
    private let report: ((EntryFault) -> Void)?
    private var collected: [EntryFault] = []
    private let version: RDBVersion
    private let findsDuplicateKeys: Bool
    private var check: StructureCheck
    private let present = Present()
    private var seenKeys: Set<UInt64> = []
    private var hasher = DuplicateFinder()

    private var seenSections: ServerCompatibility
    public private(set) var entryCount: UInt64 = 0
    public private(set) var faultCount: UInt64 = 0

    /// The entry that faults of its structure belong to.
    private final class Present {
        var faults: [DecodeError] = []
        var untoldCount: UInt64 = 0

        /// A value of many bytes may have as many faults.
        func note(_ error: DecodeError) {
            if faults.count < CheckConsumer.maxFaultsTold { faults.append(error) } else { untoldCount += 1 }
        }
    }

    /// Faults of one entry that are told one by one.
    public static let maxFaultsTold = 100

    /// - Parameter report: called with each fault; nil collects them for the consumer that absorbs this one.
    public init(version: RDBVersion, findsDuplicateKeys: Bool, report: ((EntryFault) -> Void)?) {
        self.report = report
        self.version = version
        self.findsDuplicateKeys = findsDuplicateKeys
        seenSections = ServerCompatibility(version: version)
        let present = present
        check = StructureCheck { present.note($0) }
    }

    public func consume(_ reader: inout RDBReader) throws(DecodeError) {
        entryCount += 1
        seenSections.add(reader.type)
        if findsDuplicateKeys { checkKey(reader) }
        check.begin(reader.header)
        defer { if !present.faults.isEmpty { tellFaults(reader) } }
        try reader.readValue(into: &check)
        while check.startAnotherPass() {
            try reader.rewindToValue()
            try reader.readValue(into: &check)
        }
    }

    private func tellFaults(_ reader: borrowing RDBReader) {
        let key = reader.copyKey()
        for error in present.faults {
            tell(EntryFault(error: error, database: reader.header.database, key: key, isSkipped: true))
        }
        present.faults = []
        if present.untoldCount > 0 {
            let error = DecodeError(
                .limitExceeded, at: ByteLocation(offset: reader.header.valueOffset),
                expected: "at most 100 faults of one entry to tell", found: .unsigned(100 + present.untoldCount))
            tell(EntryFault(error: error, database: reader.header.database, key: key, isSkipped: true))
            faultCount += present.untoldCount - 1
            present.untoldCount = 0
        }
    }

    private func checkKey(_ reader: borrowing RDBReader) {
        let hash = hasher.hash(reader.key) &+ reader.header.database &* 0x9e37_79b9_7f4a_7c15
        guard !seenKeys.insert(hash).inserted else { return }
        present.note(
            DecodeError(
                .duplicate, at: ByteLocation(offset: reader.header.typeOffset), expected: "each key once in a database",
                found: .described("a key that was there before")))
    }

    /// Counts a fault and passes it on.
    public func tell(_ fault: EntryFault) {
        faultCount += 1
        if let report { report(fault) } else { collected.append(fault) }
    }

    // MARK: - As one of several

    public func makeWorker() -> CheckConsumer {
        CheckConsumer(version: version, findsDuplicateKeys: false, report: nil)
    }

    public func absorb(_ worker: inout CheckConsumer) {
        // A worker's count includes faults beyond those that are told.
        for fault in worker.collected { report?(fault) }
        faultCount += worker.faultCount
        entryCount += worker.entryCount
        seenSections.formUnion(worker.seenSections)
        check.formUnion(worker.check.modules)
        worker.collected = []
        worker.faultCount = 0
        worker.entryCount = 0
    }

    public var isFull: Bool { collected.count > 1000 }
    public var mustConsumeAlone: Bool { false }

    /// Who can load what was checked.
    public var compatibility: ServerCompatibility {
        var all = seenSections
        for module in check.modules { all.add(module) }
        return all
    }

    public func section(_ item: RDBItem) {
        switch item {
        case .function: seenSections.addFunctions()
        case .moduleAux(let aux): seenSections.add(aux.module)
        default: break
        }
    }
}
