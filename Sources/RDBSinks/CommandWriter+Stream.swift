import RDBBytes
import RDBFormat
public import RDBModel
import RESPFormat

/// What a stream's commands need to know beyond the present event.
struct StreamCommands: ~Copyable {
    // Found by the survey.
    var state = StreamState(length: 0, lastID: StreamID(milliseconds: 0, sequence: 0))
    var idempotence: IdempotenceState?
    var hasProducers = false
    var pendingIDs = PendingIDs()
    /// How many texts each entry has that holds one which comes in chunks, in order.
    var largeEntryTexts: [Int] = []
    private var textCount = 0
    private var hasLargeText = false

    // Of the pass that writes.
    var nextPending = 0
    var nextLargeEntry = 0
    var firstLiveID: StreamID?
    /// Put there for the claims, to be taken away again.
    var placeholders: [StreamID] = []
    var addedCount: UInt64 = 0
    /// The texts of the present entry go straight into its command.
    var isEntryDirect = false

    /// Names as arguments.
    private(set) var group = OutputBuffer(capacity: 64)
    private(set) var producer = OutputBuffer(capacity: 64)
    private(set) var producerEntry = OutputBuffer(capacity: 64)
    var consumers = ConsumerNames()
    var pending = PendingTable()

    mutating func beginSurvey() {
        idempotence = nil
        hasProducers = false
        pendingIDs.removeAll()
        largeEntryTexts.removeAll(keepingCapacity: true)
        beginPass()
    }

    mutating func endSurvey() {
        pendingIDs.compact()
        beginPass()
    }

    private mutating func beginPass() {
        nextPending = 0
        nextLargeEntry = 0
        firstLiveID = nil
        placeholders.removeAll(keepingCapacity: placeholders.count < 1 << 16)
        addedCount = 0
        isEntryDirect = false
        consumers.removeAll()
        pending.removeAll()
    }

    mutating func beginEntry() {
        textCount = 0
        hasLargeText = false
    }
    mutating func countText() { textCount += 1 }
    mutating func countLargeText() {
        textCount += 1
        hasLargeText = true
    }
    mutating func endEntry() {
        if hasLargeText { largeEntryTexts.append(textCount) }
    }

    mutating func setGroup(_ name: RawSpan) { Self.set(&group, name) }
    mutating func setProducer(_ id: RawSpan) { Self.set(&producer, id) }
    mutating func setProducerEntry(_ id: RawSpan) { Self.set(&producerEntry, id) }

    private static func set(_ buffer: inout OutputBuffer, _ text: RawSpan) {
        buffer.truncate(to: 0)
        buffer.appendArgument(text)
    }
}

// A stream is read twice. The first pass surveys: the IDs that are pending, the state behind the entries. The second
// writes: entries with placeholders between them where a pending one is deleted, groups, consumers, claims; then the
// placeholders go and the counters are set. Source: formats/commands.md §A.3.
extension CommandWriter {
    /// The largest names of one group's consumers, in all.
    private static let maxConsumerByteCount = 8 << 20
    private static let commandIDCount = 512

    public mutating func streamEntry(_ id: StreamID) {
        guard writes else { return stream.beginEntry() }
        addPlaceholders(below: id)
        if stream.nextPending < stream.pendingIDs.ids.count, stream.pendingIDs.ids[stream.nextPending] == id {
            stream.nextPending += 1
        }
        if stream.firstLiveID == nil { stream.firstLiveID = id }
        batch.truncate(to: 0)
        batchArguments = 0
        batch.appendArgument(id)
    }

    mutating func streamText(_ bytes: RawSpan) {
        if stream.isEntryDirect { return out.appendArgument(bytes) }
        batch.appendArgument(bytes)
        batchArguments += 1
    }

    /// The entry's command begins now, with what is batched of it; its length is known from the survey.
    mutating func beginLargeStreamText() {
        if stream.isEntryDirect { return }
        let count =
            stream.nextLargeEntry < stream.largeEntryTexts.count ? stream.largeEntryTexts[stream.nextLargeEntry] : 0
        stream.nextLargeEntry += 1
        beginCommand("XADD", 2 + count)
        out.append(batch, 0..<batch.byteCount)
        stream.isEntryDirect = true
    }

    public mutating func endStreamEntry() {
        guard writes else { return stream.endEntry() }
        if !stream.isEntryDirect {
            beginCommand("XADD", 2 + batchArguments)
            out.append(batch, 0..<batch.byteCount)
        }
        stream.isEntryDirect = false
        stream.addedCount += 1
        batch.truncate(to: 0)
        batchArguments = 0
        relieve()
    }

    private mutating func addPlaceholders(below id: StreamID?) {
        while stream.nextPending < stream.pendingIDs.ids.count {
            let pending = stream.pendingIDs.ids[stream.nextPending]
            if let id, pending >= id { return }
            stream.nextPending += 1
            // 0-0 is no ID that an entry can have.
            if pending == StreamID(milliseconds: 0, sequence: 0) { continue }
            beginCommand("XADD", 4)
            out.appendArgument(pending)
            out.appendArgument("x")
            out.appendArgument("y")
            stream.placeholders.append(pending)
            stream.addedCount += 1
            relieve()
        }
    }

    public mutating func streamState(_ state: StreamState) {
        stream.state = state
        guard writes else { return }
        addPlaceholders(below: nil)
        if stream.addedCount == 0 {
            let zero = StreamID(milliseconds: 0, sequence: 0)
            beginCommand("XADD", 6)
            out.appendArgument("MAXLEN")
            out.appendArgument("0")
            out.appendArgument(state.lastID == zero ? StreamID(milliseconds: 0, sequence: 1) : state.lastID)
            out.appendArgument("x")
            out.appendArgument("y")
            stream.addedCount = 1
        }
        if let settings = stream.idempotence, options.target.hasIdempotence {
            if settings.durationSeconds > 0, settings.maxEntries > 0 {
                beginCommand("XCFGSET", 5)
                out.appendArgument("IDMP-DURATION")
                out.appendArgument(String(settings.durationSeconds))
                out.appendArgument("IDMP-MAXSIZE")
                out.appendArgument(String(settings.maxEntries))
            }
        }
    }

    // MARK: - Groups

    public mutating func group(_ state: GroupState) {
        stream.consumers.removeAll()
        stream.pending.removeAll()
        let counts = options.target.hasStreamCounters
        if case .count = state.entriesRead, !counts { losses.insert(.streamCounters) }
        guard writes else { return }
        out.beginCommand(counts && state.entriesRead != .absent ? 7 : 5)
        beginGroupCommand("XGROUP", "CREATE")
        out.appendArgument(state.lastID)
        guard counts, state.entriesRead != .absent else { return }
        out.appendArgument("ENTRIESREAD")
        if case .count(let count) = state.entriesRead {
            out.appendArgument(decimal: Int64(clamping: count))
        } else {
            out.appendArgument("-1")
        }
    }

    /// Name, an optional second word, the stream's key and the group's name; the count of arguments was written.
    private mutating func beginGroupCommand(_ name: StaticString, _ second: StaticString?) {
        out.appendArgument(name)
        if let second { out.appendArgument(second) }
        out.append(keyArgument, 0..<keyArgument.byteCount)
        out.append(stream.group, 0..<stream.group.byteCount)
        commandCount += 1
    }

    public mutating func pendingEntry(_ entry: PendingEntry) {
        if writes { return stream.pending.add(entry) }
        stream.pendingIDs.add(entry.id)
        if stream.pendingIDs.isOverfull {
            refuse(
                tooLarge("pending entries of one stream of at most 4 Mi", UInt64(stream.pendingIDs.ids.count)))
        }
    }

    mutating func consumerName(_ name: RawSpan) {
        stream.pending.startConsumer()
        guard stream.pending.isFirstPass else { return }
        stream.consumers.add { $0.appendArgument(name) }
        guard options.target.hasCreateConsumer else { return }
        out.beginCommand(5)
        beginGroupCommand("XGROUP", "CREATECONSUMER")
        out.appendArgument(name)
        relieve()
    }

    /// The survey refuses what the pass that writes cannot hold.
    mutating func countConsumer(_ name: RawSpan) {
        stream.consumers.add { $0.appendArgument(name) }
        if stream.consumers.byteCount > Self.maxConsumerByteCount {
            refuse(tooLarge("consumers of one group of at most 8 MiB in all", UInt64(stream.consumers.byteCount)))
        }
    }

    public mutating func consumer(_ times: ConsumerTimes) {
        losses.insert(.consumerTimes)
        if stream.pending.isFirstPass { stream.consumers.add(times) }
    }

    public mutating func consumerPending(_ id: StreamID) {
        if writes { _ = stream.pending.assign(id) }
    }

    public mutating func endGroup() -> Bool {
        guard writes else { return false }
        var index = 0
        while index < stream.pending.entries.count {
            let first = stream.pending.entries[index]
            let owner = stream.pending.owner(of: index)
            var end = index + 1
            // Entries delivered together are claimed together.
            while end < stream.pending.entries.count, end - index < Self.commandIDCount,
                stream.pending.entries[end].deliveredAt == first.deliveredAt,
                stream.pending.entries[end].deliveryCount == first.deliveryCount,
                stream.pending.owner(of: end) == owner
            {
                end += 1
            }
            if let owner { claim(index..<end, owner) } else { release(index..<end) }
            index = end
            relieve()
            if !writes { return false }
        }
        return stream.pending.startNextBatch()
    }

    private mutating func claim(_ range: Range<Int>, _ owner: Int) {
        let first = stream.pending.entries[range.lowerBound]
        out.beginCommand(11 + range.count)
        beginGroupCommand("XCLAIM", nil)
        stream.consumers.appendName(owner, to: &out)
        out.appendArgument("0")
        for index in range { out.appendArgument(stream.pending.entries[index].id) }
        out.appendArgument("TIME")
        out.appendArgument(decimal: first.deliveredAt)
        out.appendArgument("RETRYCOUNT")
        out.appendArgument(decimal: Int64(clamping: first.deliveryCount))
        out.appendArgument("JUSTID")
        out.appendArgument("FORCE")
    }

    /// Pending entries without a consumer.
    private mutating func release(_ range: Range<Int>) {
        guard options.target.hasUnownedPending else { return losses.formUnion(.unownedPending) }
        let first = stream.pending.entries[range.lowerBound]
        out.beginCommand(9 + range.count)
        beginGroupCommand("XNACK", nil)
        out.appendArgument("FAIL")
        out.appendArgument("IDS")
        out.appendArgument(decimal: Int64(range.count))
        for index in range { out.appendArgument(stream.pending.entries[index].id) }
        out.appendArgument("RETRYCOUNT")
        out.appendArgument(decimal: Int64(clamping: first.deliveryCount))
        out.appendArgument("FORCE")
    }

    // MARK: - Idempotent producers

    public mutating func producerEntry(_ id: StreamID) {
        guard options.target.hasIdempotence else { return losses.formUnion(.idempotence) }
        guard writes else { return }
        beginCommand("XIDMPRECORD", 4)
        out.append(stream.producer, 0..<stream.producer.byteCount)
        out.append(stream.producerEntry, 0..<stream.producerEntry.byteCount)
        out.appendArgument(id)
        relieve()
    }

    public mutating func idempotence(_ state: IdempotenceState) { stream.idempotence = state }

    // MARK: - End

    /// Takes the placeholders away and sets what only the end knows.
    mutating func endStream() {
        removePlaceholders()
        let state = stream.state
        let counts = options.target.hasStreamCounters
        let zero = StreamID(milliseconds: 0, sequence: 0)
        beginCommand("XSETID", counts ? 6 : 2)
        out.appendArgument(state.lastID)
        if counts {
            out.appendArgument("ENTRIESADDED")
            out.appendArgument(decimal: Int64(clamping: max(state.entriesAdded ?? state.length, state.length)))
            out.appendArgument("MAXDELETEDID")
            out.appendArgument(state.maxDeletedID ?? zero)
        } else if let added = state.entriesAdded {
            if added != stream.addedCount || (state.maxDeletedID ?? zero) != zero { losses.insert(.streamCounters) }
        }
        relieve()
    }

    private mutating func removePlaceholders() {
        guard !stream.placeholders.isEmpty else { return }
        guard let firstLive = stream.firstLiveID else {
            beginCommand("XTRIM", 3)
            out.appendArgument("MAXLEN")
            out.appendArgument("0")
            return
        }
        var from = 0
        // A trim leaves the highest deleted ID alone, which a deletion raises.
        if options.target.hasTrimByID {
            while from < stream.placeholders.count, stream.placeholders[from] < firstLive { from += 1 }
            if from > 0 {
                beginCommand("XTRIM", 3)
                out.appendArgument("MINID")
                out.appendArgument(firstLive)
            }
        }
        while from < stream.placeholders.count {
            let end = min(from + Self.commandIDCount, stream.placeholders.count)
            beginCommand("XDEL", 1 + end - from)
            for index in from..<end { out.appendArgument(stream.placeholders[index]) }
            from = end
            relieve()
        }
    }
}
