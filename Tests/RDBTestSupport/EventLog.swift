public import RDBBytes
public import RDBModel

/// Whether a log asks for the checks of redundant facts.
public protocol Strictness {
    static var verifies: Bool { get }
}
public enum Plain: Strictness {
    public static var verifies: Bool { false }
}
public enum Strict: Strictness {
    public static var verifies: Bool { true }
}

/// Records every event of a value as a line of text.
///
/// A text is quoted with `\xNN` for all that is no plain ASCII; a text in chunks is put together and kept in `large`.
public struct EventLog<S: Strictness>: ValueVisitor {
    public static var verifiesStructure: Bool { S.verifies }

    public var lines: [String] = []
    public var large: [[UInt8]] = []
    public var faults: [DecodeError] = []
    /// How often each group is asked for, besides the first time.
    public var extraGroupPasses = 0
    private var passesLeft = 0

    public init(extraGroupPasses: Int = 0) { self.extraGroupPasses = extraGroupPasses }

    public static func quoted(_ bytes: [UInt8]) -> String {
        var text = "\""
        for byte in bytes {
            if byte < 0x20 || byte >= 0x7f || byte == 0x22 || byte == 0x5c {
                text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            } else {
                text.unicodeScalars.append(UnicodeScalar(byte))
            }
        }
        return text + "\""
    }

    private mutating func add(_ line: String) { lines.append(line) }

    public mutating func elements(_ count: UInt64?) { add("elements \(count.map { String($0) } ?? "?")") }
    public mutating func text(_ bytes: RawSpan, as role: TextRole) { add("\(role) \(Self.quoted(bytes.array))") }
    public mutating func integer(_ value: Int64, as role: TextRole) { add("\(role) \(value)") }
    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        add("\(role) large \(byteCount)")
        large.append([])
    }
    public mutating func largeTextChunk(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { large[large.count - 1].append(contentsOf: $0) }
    }
    public mutating func endLargeText(as role: TextRole) {}

    public mutating func score(_ value: Double) { add("score \(value)") }
    public mutating func fieldExpiry(_ expiresAt: Int64?) { add("expiry \(expiresAt.map { String($0) } ?? "none")") }
    public mutating func unsigned(_ value: UInt64) { add("unsigned \(value)") }

    public mutating func streamEntry(_ id: StreamID) { add("entry \(id)") }
    public mutating func endStreamEntry() { add("end entry") }
    public mutating func streamState(_ state: StreamState) {
        var line = "state length \(state.length) last \(state.lastID)"
        if let id = state.firstID { line += " first \(id)" }
        if let id = state.maxDeletedID { line += " deleted \(id)" }
        if let count = state.entriesAdded { line += " added \(count)" }
        add(line)
    }
    public mutating func group(_ state: GroupState) {
        let read =
            switch state.entriesRead {
            case .absent: ""
            case .unknown: " read unknown"
            case .count(let count): " read \(count)"
            }
        add("group last \(state.lastID)\(read)")
        passesLeft = extraGroupPasses
    }
    public mutating func pendingEntry(_ entry: PendingEntry) {
        add("pending \(entry.id) at \(entry.deliveredAt) count \(entry.deliveryCount)")
    }
    public mutating func consumer(_ times: ConsumerTimes) {
        add("consumer seen \(times.seenAt)" + (times.activeAt.map { " active \($0)" } ?? ""))
    }
    public mutating func consumerPending(_ id: StreamID) { add("owns \(id)") }
    public mutating func negativelyAcknowledged(_ id: StreamID) { add("unowned \(id)") }
    public mutating func endGroup() -> Bool {
        add("end group")
        passesLeft -= 1
        return passesLeft >= 0
    }
    public mutating func producerEntry(_ id: StreamID) { add("produced \(id)") }
    public mutating func idempotence(_ state: IdempotenceState) {
        add(
            "idempotence duration \(state.durationSeconds) max \(state.maxEntries) added \(state.idsAdded) "
                + "duplicate \(state.idsDuplicate)")
    }

    public mutating func arrayInsertIndex(_ index: UInt64) { add("insert index \(index)") }
    public mutating func arrayIndex(_ index: UInt64) { add("index \(index)") }

    public mutating func module(_ id: ModuleID) { add("module \(id)") }
    public mutating func moduleSigned(_ value: Int64) { add("signed \(value)") }
    public mutating func moduleUnsigned(_ value: UInt64) { add("unsigned \(value)") }
    public mutating func moduleFloat(_ value: Float) { add("float \(value)") }
    public mutating func moduleDouble(_ value: Double) { add("double \(value)") }
    public mutating func endModule() { add("end module") }

    public mutating func fault(_ error: DecodeError) { faults.append(error) }
}
