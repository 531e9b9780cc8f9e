public import RDBBytes
public import RDBFormat
import RDBModel
import RDBTransforms

/// Validates every value to its last byte, and tells each fault.
///
/// Memory: `StructureCheck`; with `findsDuplicateKeys` 16 to 24 bytes for each key of the file besides.
public final class CheckConsumer: EntryConsumer {
    private let report: (EntryFault) -> Void
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
        var database: UInt64 = 0
        var key: [UInt8] = []
        var faults: [DecodeError] = []
    }

    public init(version: RDBVersion, findsDuplicateKeys: Bool, report: @escaping (EntryFault) -> Void) {
        self.report = report
        self.findsDuplicateKeys = findsDuplicateKeys
        seenSections = ServerCompatibility(version: version)
        let present = present
        check = StructureCheck { present.faults.append($0) }
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
        for error in present.faults {
            tell(
                EntryFault(
                    error: error, database: reader.header.database, key: reader.key.array, isSkipped: true))
        }
        present.faults = []
    }

    private func checkKey(_ reader: borrowing RDBReader) {
        let hash = hasher.hash(reader.key) &+ reader.header.database &* 0x9e37_79b9_7f4a_7c15
        guard !seenKeys.insert(hash).inserted else { return }
        present.faults.append(
            DecodeError(
                .duplicate, at: ByteLocation(offset: reader.header.typeOffset), expected: "each key once in a database",
                found: .described("a key that was there before")))
    }

    /// Counts a fault and passes it on.
    public func tell(_ fault: EntryFault) {
        faultCount += 1
        report(fault)
    }

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
