public import RDBBytes
public import RDBModel

/// Writes a value's elements into a `RecordSorter`, so that those of two values can be held against each other.
/// Everything but lists, whose order matters (`ListEdits`).
///
/// What is equal for `EntryDigest` is equal here, under the same parts.
///
/// Memory: the sorter's, and the largest element's texts, each up to 1 MiB.
public struct ElementRecorder: ValueVisitor, ~Copyable {
    /// As in `EntryDigest`: fields that expire up to this time are left out.
    public var fieldsExpireAfter: Int64?
    private let parts: EntryDigest.Parts
    private var sorter: RecordSorter
    private let longTexts: SpillFile
    private let digestKey: Digest128
    public private(set) var failure: SpillError?
    /// An element that cannot be held; the value must not be compared.
    public private(set) var refusal: DecodeError?

    private var side = Side.a
    private var header = EntryHeader()

    // The text at hand.
    private var text = OutputBuffer(capacity: 256)
    private var longText: LongText?

    private struct LongText {
        var start: UInt64
        var count: UInt64
        var hash: SipHash
        var digest = Digest128()
    }

    // The record being made. Names of a path that are not whole stand in the payload first.
    private var path = OutputBuffer(capacity: 256)
    private var payload = OutputBuffer(capacity: 256)

    /// What the elements lie in: a path, a group, a producer; and the texts of it that are not whole.
    private var container = OutputBuffer(capacity: 64)
    private var containerNames = OutputBuffer(capacity: 64)
    private var index: UInt64 = 0
    private var arrayIndex: UInt64 = 0

    private var consumerText = OutputBuffer(capacity: 64)
    private var consumer = OutputBuffer(capacity: 64)
    private var consumerNames = OutputBuffer(capacity: 64)

    private var firstID: StreamID?
    private var state = StreamState(length: 0, lastID: StreamID(milliseconds: 0, sequence: 0))
    private var hasProducers = false

    /// - Parameters:
    ///   - memory: bytes for elements before they go to a temporary file.
    ///   - longTexts: where texts of more than 1 MiB go.
    public init(_ parts: EntryDigest.Parts, memory: Int, longTexts: SpillFile, digestKey: Digest128) {
        self.parts = parts
        self.longTexts = longTexts
        self.digestKey = digestKey
        sorter = RecordSorter(memory: memory)
    }

    /// Begins the value of a side.
    public mutating func begin(_ header: EntryHeader, _ side: Side) {
        self.header = header
        self.side = side
        index = 0
        firstID = nil
        hasProducers = false
        longText = nil
    }

    /// The elements of both sides.
    public consuming func finish() -> RecordSorter { sorter }

    // MARK: - Records

    private mutating func begin(_ section: ElementSection) {
        path.truncate(to: 0)
        path.append(section.rawValue)
        payload.truncate(to: 0)
        payload.shrink(to: 4 << 20)
        payload.append(UInt8(side.rawValue))
    }

    private mutating func beginInContainer(_ section: ElementSection) {
        begin(section)
        path.append(container, 0..<container.byteCount)
        payload.append(containerNames, 0..<containerNames.byteCount)
    }

    /// A stream entry of more small texts is nothing that a server was ever given.
    private static let maxElementByteCount = 64 << 20

    private mutating func emit() {
        if failure != nil || refusal != nil { return }
        do throws(SpillError) { try sorter.append(key: path, payload: payload) } catch { failure = error }
    }

    private mutating func append(bigEndian number: UInt64) { ElementCoder.append(bigEndian: number, to: &path) }

    private mutating func append(number: UInt64) { payload.append(littleEndian: number) }

    private mutating func append(optional number: UInt64?) {
        payload.append(number == nil ? 0 : UInt8(1))
        if let number { payload.append(littleEndian: number) }
    }

    /// The text at hand as a component of the path.
    private mutating func appendComponent() { Self.appendComponent(text, longText, to: &path, names: &payload) }

    private static func appendComponent(
        _ text: borrowing OutputBuffer, _ long: LongText?, to path: inout OutputBuffer, names: inout OutputBuffer
    ) {
        ElementCoder.append(component: text.bytes, mark: long == nil ? 1 : 2, to: &path)
        if let long { append(long, to: &names) }
    }

    /// The text at hand into the payload.
    private mutating func appendText() {
        if longText == nil, payload.byteCount > ElementCoder.maxTextByteCount { sparePayload() }
        if let longText { return Self.append(longText, to: &payload) }
        payload.append(littleEndian: UInt32(text.byteCount))
        payload.append(text, 0..<text.byteCount)
    }

    /// An element of many texts that are large together: they go to the file of long ones, as far as that is shorter.
    private mutating func sparePayload() {
        if payload.byteCount > Self.maxElementByteCount {
            payload.truncate(to: 1)
            refusal = DecodeError(
                .limitExceeded, at: ByteLocation(offset: header.valueOffset),
                expected: "stream entries of texts that take at most 64 MiB", found: .described("more"))
        }
        guard text.byteCount > 64, failure == nil else { return }
        var long = LongText(
            start: longTexts.byteCount, count: UInt64(text.byteCount), hash: SipHash(key: digestKey))
        long.hash.append(text.bytes)
        long.digest = long.hash.finish()
        do throws(SpillError) { try longTexts.append(text.bytes) } catch { failure = error }
        longText = long
    }

    private static func append(_ long: LongText, to out: inout OutputBuffer) {
        out.append(littleEndian: ElementCoder.longMark)
        out.append(littleEndian: long.start)
        out.append(littleEndian: long.count)
        out.append(littleEndian: long.digest.low)
        out.append(littleEndian: long.digest.high)
    }

    // MARK: - Texts

    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        text.truncate(to: 0)
        text.shrink(to: 2 << 20)
        text.append(bytes)
        longText = nil
        take(role)
    }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        text.truncate(to: 0)
        text.append(decimal: value)
        longText = nil
        take(role)
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        text.truncate(to: 0)
        longText = LongText(start: longTexts.byteCount, count: 0, hash: SipHash(key: digestKey))
    }

    public mutating func largeTextChunk(_ bytes: RawSpan) {
        if failure != nil { return }
        longText?.hash.append(bytes)
        longText?.count += UInt64(bytes.byteCount)
        if text.byteCount < ElementCoder.prefixByteCount {
            text.append(bytes.extracting(first: min(bytes.byteCount, ElementCoder.prefixByteCount - text.byteCount)))
        }
        do throws(SpillError) { try longTexts.append(bytes) } catch { failure = error }
    }

    public mutating func endLargeText(as role: TextRole) {
        if let digest = longText?.hash.finish() {
            longText?.digest = digest
            // Two names with the same beginning are still two.
            text.append(littleEndian: digest.low)
            text.append(littleEndian: digest.high)
        }
        take(role)
    }

    private mutating func take(_ role: TextRole) {
        switch role {
        case .string:
            begin(.whole)
            appendText()
            emit()
        case .member:
            begin(header.type == .zset ? .scoredMember : .member)
            appendComponent()
            if header.type != .zset { emit() }
        case .field:
            if header.type == .pathHash { beginInContainer(.pathField) } else { begin(.field) }
            appendComponent()
        case .fieldValue:
            appendText()
            if header.type == .pathHash { return emit() }
            if !header.hasFieldExpiries { endField(nil) }
        case .path: setContainer()
        case .arrayElement:
            begin(.arrayElement)
            append(bigEndian: arrayIndex)
            appendText()
            emit()
        case .streamField, .streamValue: appendText()
        case .groupName: setContainer()
        case .consumerName:
            consumer.truncate(to: 0)
            consumerNames.truncate(to: 0)
            Self.appendComponent(text, longText, to: &consumer, names: &consumerNames)
            consumerText.truncate(to: 0)
            if let longText {
                Self.append(longText, to: &consumerText)
            } else {
                consumerText.append(littleEndian: UInt32(text.byteCount))
                consumerText.append(text, 0..<text.byteCount)
            }
        case .producerID:
            hasProducers = true
            setContainer()
        case .producerEntryID:
            beginInContainer(.producerEntry)
            appendComponent()
        case .modulePart:
            beginPart(4)
            appendText()
            emit()
        case .element: break
        }
    }

    private mutating func setContainer() {
        container.truncate(to: 0)
        containerNames.truncate(to: 0)
        index = 0
        Self.appendComponent(text, longText, to: &container, names: &containerNames)
    }

    // MARK: - Numbers

    public mutating func score(_ value: Double) {
        append(number: value == 0 ? 0 : value.isNaN ? Double.nan.bitPattern : value.bitPattern)
        emit()
    }

    public mutating func fieldExpiry(_ expiresAt: Int64?) { endField(expiresAt) }

    private mutating func endField(_ expiresAt: Int64?) {
        if let expiresAt, let fieldsExpireAfter, expiresAt <= fieldsExpireAfter { return }
        let counts = parts.contains(.fieldExpiry)
        payload.append(littleEndian: counts ? expiresAt ?? ElementCoder.noExpiry : ElementCoder.noExpiry)
        emit()
    }

    public mutating func unsigned(_ value: UInt64) {
        begin(.number)
        append(number: value)
        emit()
    }

    public mutating func arrayInsertIndex(_ index: UInt64) {
        begin(.insertIndex)
        append(number: index)
        emit()
    }

    public mutating func arrayIndex(_ index: UInt64) { arrayIndex = index }

    // MARK: - Streams

    public mutating func streamEntry(_ id: StreamID) {
        if firstID == nil { firstID = id }
        begin(.streamEntry)
        append(bigEndian: id)
    }

    private mutating func append(bigEndian id: StreamID) {
        append(bigEndian: id.milliseconds)
        append(bigEndian: id.sequence)
    }

    private mutating func append(_ id: StreamID) {
        append(number: id.milliseconds)
        append(number: id.sequence)
    }

    public mutating func endStreamEntry() { emit() }

    public mutating func streamState(_ state: StreamState) {
        self.state = state
        begin(.streamState)
        append(state.lastID)
        let counts = parts.contains(.streamCounters)
        append(optional: counts ? state.entriesAdded ?? state.length : nil)
        payload.append(counts ? UInt8(1) : 0)
        if counts { append(state.maxDeletedID ?? StreamID(milliseconds: 0, sequence: 0)) }
        emit()
    }

    private var hasGroups: Bool { parts.contains(.streamGroups) }

    public mutating func group(_ group: GroupState) {
        guard hasGroups else { return }
        beginInContainer(.group)
        append(group.lastID)
        let read = parts.contains(.streamCounters) ? group.entriesRead : .unknown
        switch read {
        case .count(let count): append(optional: count)
        case .unknown: append(optional: nil)
        case .absent:
            append(optional: EntryDigest.countRead(upTo: group.lastID, state, firstID: firstID))
        }
        emit()
    }

    public mutating func pendingEntry(_ entry: PendingEntry) {
        guard hasGroups else { return }
        beginInContainer(.pendingEntry)
        append(bigEndian: entry.id)
        append(optional: parts.contains(.deliveryTimes) ? UInt64(bitPattern: entry.deliveredAt) : nil)
        append(number: entry.deliveryCount)
        emit()
    }

    public mutating func consumer(_ times: ConsumerTimes) {
        guard hasGroups else { return }
        beginInContainer(.consumer)
        path.append(consumer, 0..<consumer.byteCount)
        payload.append(consumerNames, 0..<consumerNames.byteCount)
        let counts = parts.contains(.consumerTimes)
        append(optional: counts ? UInt64(bitPattern: times.seenAt) : nil)
        append(optional: counts ? UInt64(bitPattern: times.activeAt ?? times.seenAt) : nil)
        emit()
    }

    public mutating func consumerPending(_ id: StreamID) {
        guard hasGroups else { return }
        beginInContainer(.owner)
        append(bigEndian: id)
        payload.append(consumerText, 0..<consumerText.byteCount)
        emit()
    }

    public mutating func negativelyAcknowledged(_ id: StreamID) {
        guard hasGroups else { return }
        beginInContainer(.unowned)
        append(bigEndian: index)
        index += 1
        append(id)
        emit()
    }

    public mutating func producerEntry(_ id: StreamID) {
        append(id)
        if parts.contains(.streamProducers) { emit() }
    }

    public mutating func idempotence(_ state: IdempotenceState) {
        guard parts.contains(.streamProducers) else { return }
        let counts = parts.contains(.streamCounters)
        let added = counts ? state.idsAdded : 0
        let duplicate = counts ? state.idsDuplicate : 0
        // As a stream that knows of no producers: see EntryDigest.
        if !hasProducers, added == 0, duplicate == 0, state.durationSeconds == 100, state.maxEntries == 100 { return }
        begin(.idempotence)
        append(number: state.durationSeconds)
        append(number: state.maxEntries)
        append(number: added)
        append(number: duplicate)
        emit()
    }

    // MARK: - Modules

    public mutating func module(_ id: ModuleID) {
        begin(.module)
        append(number: id.rawValue)
        emit()
    }

    private mutating func beginPart(_ kind: UInt8) {
        begin(.modulePart)
        append(bigEndian: index)
        index += 1
        payload.append(kind)
    }

    private mutating func part(_ kind: UInt8, _ value: UInt64) {
        beginPart(kind)
        append(number: value)
        emit()
    }

    public mutating func moduleSigned(_ value: Int64) { part(0, UInt64(bitPattern: value)) }
    public mutating func moduleUnsigned(_ value: UInt64) { part(1, value) }
    public mutating func moduleFloat(_ value: Float) { part(2, UInt64(value.bitPattern)) }
    public mutating func moduleDouble(_ value: Double) { part(3, value.bitPattern) }
}
