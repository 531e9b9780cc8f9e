public import RDBBytes
public import RDBModel

/// Checks of a value that go beyond decoding it: duplicates, order, counters, owners of pending entries.
///
///     check.begin(header)
///     try reader.readValue(into: &check)
///     while check.startAnotherPass() { try reader.rewindToValue(); try reader.readValue(into: &check) }
///
/// Memory: `DuplicateFinder` and one `PendingTable`.
public struct StructureCheck: ValueVisitor {
    public static var verifiesStructure: Bool { true }

    /// Called with each fault as it is found.
    private let report: (DecodeError) -> Void

    /// Modules whose values were met.
    public private(set) var modules: Set<ModuleID> = []

    private var type = ValueType.string
    private var valueOffset: UInt64 = 0
    private var duplicates = DuplicateFinder()
    private var isFirstPass = true
    private var elementCount: UInt64 = 0
    /// Whether a fault was reported since `begin`.
    public private(set) var hasReported = false
    private var duplicateCount = 0
    private static let maxDuplicatesTold = 20

    // Sorted sets packed into one string stand in order of score, then member.
    private var checksScoreOrder = false
    private var previousScore = -Double.infinity
    private var previousMember: [UInt8] = []
    private var presentMember: [UInt8] = []

    private var firstID: StreamID?
    private var pending = PendingTable()
    private var ownedCount = 0
    private var assignedCount = 0

    private var isInPath = false
    private var largeHash: UInt64 = 0

    public init(report: @escaping (DecodeError) -> Void) { self.report = report }

    /// Inlined, so that no copy of the header is made for every entry.
    @inline(__always)
    public mutating func begin(_ header: EntryHeader) {
        type = header.type
        valueOffset = header.valueOffset
        isFirstPass = true
        hasReported = false
        duplicateCount = 0
        checksScoreOrder = header.type == .zset && header.encoding != .skiplist
        startPass()
    }

    private mutating func startPass() {
        elementCount = 0
        previousScore = -.infinity
        if !previousMember.isEmpty { previousMember.removeAll(keepingCapacity: true) }
        firstID = nil
        isInPath = false
    }

    /// After a pass: whether another one is needed to compare all members.
    public mutating func startAnotherPass() -> Bool {
        if isFirstPass { finishFirstPass() }
        isFirstPass = false
        // More duplicates would not be told: a file of nothing else is not read again for each share of it.
        guard hasMembers, duplicateCount < Self.maxDuplicatesTold, duplicates.startNextShare() else { return false }
        startPass()
        return true
    }

    private var hasMembers: Bool { type == .set || type == .zset || type == .hash }

    private mutating func finishFirstPass() {
        switch type {
        case .list, .set, .zset, .hash, .array:
            if elementCount == 0 {
                tell(.emptyCollection, "at least one element", .number(0))
            }
        default: break
        }
    }

    private mutating func tell(_ code: DecodeError.Code, _ expected: StaticString, _ found: DecodeError.Found) {
        hasReported = true
        report(DecodeError(code, at: ByteLocation(offset: valueOffset), expected: expected, found: found))
    }

    public mutating func fault(_ error: DecodeError) {
        if !isFirstPass { return }
        hasReported = true
        report(error)
    }

    // MARK: - Members

    public mutating func elements(_ count: UInt64?) {
        switch type {
        case .pathHash where !isInPath: break
        case .pathHash: duplicates.start(count: count)
        default: if isFirstPass { duplicates.start(count: count) }
        }
    }

    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        switch role {
        case .element, .arrayElement: elementCount += 1
        case .member:
            elementCount += 1
            note(isDuplicate: duplicates.add(bytes))
            if checksScoreOrder { presentMember = bytes.array }
        case .field:
            elementCount += 1
            note(isDuplicate: duplicates.add(bytes))
        case .path: startPath(bytes)
        case .consumerName: pending.startConsumer()
        default: break
        }
    }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        switch role {
        case .element, .arrayElement: elementCount += 1
        case .member where checksScoreOrder, .path, .consumerName:
            String(value).withRawSpan { text($0, as: role) }
        case .member, .field:
            elementCount += 1
            note(isDuplicate: duplicates.add(value))
        default: break
        }
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        largeHash = ByteHash.hash(RawSpan()) ^ byteCount
    }

    public mutating func largeTextChunk(_ bytes: RawSpan) {
        // Chunks come as the input delivers them: fold byte by byte, so that the same text gives the same hash.
        for index in 0..<bytes.byteCount {
            largeHash = (largeHash ^ UInt64(bytes.byte(at: index))) &* 0x100_0000_01b3
        }
    }

    public mutating func endLargeText(as role: TextRole) {
        switch role {
        case .element, .arrayElement: elementCount += 1
        case .member, .field:
            elementCount += 1
            note(isDuplicate: duplicates.add(hash: largeHash))
        case .consumerName: pending.startConsumer()
        default: break
        }
    }

    private mutating func note(isDuplicate: Bool) {
        guard isDuplicate else { return }
        duplicateCount += 1
        if duplicateCount <= Self.maxDuplicatesTold {
            tell(.duplicate, "each member or field once", .described("one that was there before"))
        }
    }

    private mutating func startPath(_ path: RawSpan) {
        let bytes = path.array
        if isInPath, !previousMember.lexicographicallyPrecedes(bytes) {
            tell(.badOrder, "paths ascending by bytes", .described("another order"))
        }
        previousMember = bytes
        isInPath = true
    }

    public mutating func score(_ value: Double) {
        if value.isNaN, isFirstPass { tell(.badScore, "a number", .described("not a number")) }
        guard checksScoreOrder, isFirstPass else { return }
        if value < previousScore
            || value == previousScore && !previousMember.lexicographicallyPrecedes(presentMember) && elementCount > 1
        {
            tell(.badOrder, "members ordered by score, then bytes", .described("another order"))
        }
        previousScore = value
        swap(&previousMember, &presentMember)
    }

    public mutating func module(_ id: ModuleID) {
        // As `ServerCompatibility`: a made file could have millions.
        if modules.count < 1024 { modules.insert(id) }
    }

    /// Adds modules that were met elsewhere.
    public mutating func formUnion(_ others: Set<ModuleID>) {
        for id in others { module(id) }
    }

    // MARK: - Streams

    public mutating func streamEntry(_ id: StreamID) {
        if firstID == nil { firstID = id }
    }

    public mutating func streamState(_ state: StreamState) {
        if let first = state.firstID, let found = firstID, first != found {
            tell(.badStream, "the ID of the first entry as the first ID", .described("another ID"))
        }
        if let deleted = state.maxDeletedID, deleted > state.lastID {
            tell(.badStream, "a largest deleted ID not above the last ID", .described("a higher one"))
        }
        if let added = state.entriesAdded, added < state.length {
            tell(.badStream, "at least as many entries added as there are", .unsigned(added))
        }
    }

    public mutating func group(_ state: GroupState) {
        pending.removeAll()
        ownedCount = 0
        assignedCount = 0
    }

    public mutating func pendingEntry(_ entry: PendingEntry) { pending.add(entry) }

    public mutating func consumerPending(_ id: StreamID) { assign(id) }

    public mutating func negativelyAcknowledged(_ id: StreamID) { assign(id) }

    private mutating func assign(_ id: StreamID) {
        if pending.isFirstPass { ownedCount += 1 }
        switch pending.assign(id) {
        case .assigned: assignedCount += 1
        case .alreadyOwned: tell(.badStream, "one owner for each pending entry", .described("two"))
        case .absent: break
        }
    }

    public mutating func endGroup() -> Bool {
        let pendingCount = pending.count
        if pending.startNextBatch() { return true }
        if assignedCount < ownedCount {
            tell(.badStream, "owners' entries among the group's pending ones", .described("others"))
        }
        if assignedCount < pendingCount {
            tell(.badStream, "an owner for each pending entry", .described("entries without one"))
        }
        return false
    }
}
