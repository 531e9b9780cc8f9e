import RDBBytes
import RDBFormat
public import RDBModel
import RESPFormat

/// What a stream's commands need to know beyond the present event.
struct StreamCommands: ~Copyable {
    static let zero = StreamID(milliseconds: 0, sequence: 0)

    // Found by the survey.
    private(set) var pendingIDs = PendingIDs()
    var state = StreamState(length: 0, lastID: StreamCommands.zero)
    var idempotence: IdempotenceState?
    private(set) var firstLiveID: StreamID?
    /// How many texts each entry has that is too large to be batched, in order.
    private(set) var largeEntryTexts: [Int] = []
    private var textCount = 0
    private var entryByteCount = 0
    private var hasLargeText = false

    // Found by the match.
    private var nextPending = 0
    private var isMatched = true

    // Of the passes that write.
    /// Groups and claims were written by passes before.
    private(set) var hasClaimed = false
    var nextLargeEntry = 0
    /// Of an entry or a placeholder in this pass.
    var lastAddedID = StreamCommands.zero
    /// Entries that the commands so far have added at the server, or that it was told to believe in.
    var addedCount: UInt64 = 0
    var liveCount: UInt64 = 0
    /// The texts of the present entry go straight into its command.
    var isEntryDirect = false

    /// Names as arguments.
    private(set) var group = OutputBuffer(capacity: 64)
    private(set) var producer = OutputBuffer(capacity: 64)
    private(set) var producerEntry = OutputBuffer(capacity: 64)
    var consumers = ConsumerNames()
    var pending = PendingTable()
    /// The present consumer, and how many pending entries it owns.
    var hasConsumer = false
    var ownedCount = 0

    /// An entry whose texts have more bytes is written as it comes.
    static let maxBatchedByteCount = 1 << 20

    mutating func begin(_ options: CommandOptions) {
        pendingIDs.removeAll(maxCount: options.pendingCount)
        idempotence = nil
        firstLiveID = nil
        hasClaimed = false
        addedCount = 0
        beginPass()
        largeEntryTexts.removeAll(keepingCapacity: true)
    }

    private mutating func beginPass() {
        nextPending = 0
        isMatched = true
        nextLargeEntry = 0
        lastAddedID = StreamCommands.zero
        liveCount = 0
        isEntryDirect = false
        consumers.removeAll()
        pending.removeAll()
    }

    // MARK: - Survey

    mutating func beginEntry(_ id: StreamID) {
        if firstLiveID == nil { firstLiveID = id }
        textCount = 0
        entryByteCount = 0
        hasLargeText = false
    }
    /// With what an argument takes besides its text.
    mutating func count(textOf byteCount: Int) {
        textCount += 1
        entryByteCount += byteCount + 8
    }
    mutating func countLargeText() {
        textCount += 1
        hasLargeText = true
    }
    /// Both passes that read entries come to the same, the second at the latest at the entry's last text.
    var isEntryLarge: Bool { hasLargeText || entryByteCount > Self.maxBatchedByteCount }

    mutating func endEntry() {
        if isEntryLarge { largeEntryTexts.append(textCount) }
    }

    mutating func add(pending id: StreamID) { pendingIDs.add(id) }

    /// - Returns: the pass to come.
    mutating func endSurvey() -> CommandWriter.Pass {
        pendingIDs.compact()
        beginPass()
        if pendingIDs.ids.isEmpty { return .writing }
        return pendingIDs.isCut || hasClaimed ? .claiming : .matching
    }

    /// How many entries a group has read that ends at an ID, where the file has no such count: what a server makes of it
    /// that loads the file. Source: redis/redis src/t_stream.c, streamEstimateDistanceFromFirstEverEntry.
    func estimatedRead(upTo id: StreamID) -> GroupState.EntriesRead {
        guard state.length > 0, let firstLiveID else { return .count(0) }
        if id == state.lastID { return .count(state.length) }
        if id < firstLiveID { return .count(0) }
        return id == firstLiveID ? .count(1) : .unknown
    }

    // MARK: - Match

    /// Whether all that is pending exists in the stream.
    mutating func match(_ id: StreamID) {
        guard nextPending < pendingIDs.ids.count else { return }
        if pendingIDs.ids[nextPending] == id {
            nextPending += 1
        } else if pendingIDs.ids[nextPending] < id {
            isMatched = false
        }
    }

    mutating func endMatching() -> CommandWriter.Pass {
        let isWhole = isMatched && nextPending == pendingIDs.ids.count
        beginPass()
        return isWhole ? .writing : .claiming
    }

    // MARK: - Claims

    /// - Returns: the pass to come.
    mutating func endClaiming() -> CommandWriter.Pass {
        hasClaimed = true
        let isCut = pendingIDs.isCut
        if isCut { pendingIDs.startNext() }
        beginPass()
        if isCut { largeEntryTexts.removeAll(keepingCapacity: true) }
        return isCut ? .surveying : .writing
    }

    mutating func setGroup(_ name: RawSpan) { Self.set(&group, name) }
    mutating func setProducer(_ id: RawSpan) { Self.set(&producer, id) }
    mutating func setProducerEntry(_ id: RawSpan) { Self.set(&producerEntry, id) }

    private static func set(_ buffer: inout OutputBuffer, _ text: RawSpan) {
        buffer.truncate(to: 0)
        buffer.appendArgument(text)
    }
}

// A stream is read several times, because its pending entries stand behind its entries:
//
// - surveying: which IDs are pending, the state, how large entries are.
// - matching, where any are: whether all of them exist. Then
// - writing: entries, state, groups, consumers, claims.
//
// Redis 7.0 and later let a consumer claim only what exists. Where something pending was deleted, so,
//
// - claiming: an entry for each pending ID, groups, consumers, claims. Claims outlive their entries: XTRIM takes all
//   away, without a trace in the highest deleted ID as XDEL would leave, and XSETID makes room for lower IDs. Repeated
//   with `surveying` as long as there are more pending IDs.
// - writing: entries and state.
//
// Source: formats/commands.md §A.3.
extension CommandWriter {
    /// The largest names of one group's consumers, in all.
    private static let maxConsumerByteCount = 8 << 20

    public mutating func streamEntry(_ id: StreamID) {
        switch pass {
        case .writing where writes: break
        case .surveying: return stream.beginEntry(id)
        case .matching: return stream.match(id)
        default: return
        }
        stream.lastAddedID = id
        stream.beginEntry(id)
        batch.truncate(to: 0)
        batchArguments = 0
        batch.appendArgument(id)
    }

    mutating func streamText(_ bytes: RawSpan) {
        guard pass == .writing else { return }
        if stream.isEntryDirect {
            out.appendArgument(bytes)
            return relieve()
        }
        batch.appendArgument(bytes)
        countBatched(bytes.byteCount)
    }

    mutating func streamInteger(_ value: Int64) {
        guard pass == .writing else { return }
        if stream.isEntryDirect {
            out.appendArgument(decimal: value)
            return relieve()
        }
        batch.appendArgument(decimal: value)
        countBatched(Digits.byteCount(value))
    }

    private mutating func countBatched(_ byteCount: Int) {
        batchArguments += 1
        stream.count(textOf: byteCount)
        if stream.isEntryLarge { beginDirectEntry() }
    }

    /// The entry's command begins now, with what is batched of it; its length is known from the survey.
    mutating func beginDirectEntry() {
        if stream.isEntryDirect { return }
        let texts = stream.largeEntryTexts
        let count = stream.nextLargeEntry < texts.count ? texts[stream.nextLargeEntry] : 0
        stream.nextLargeEntry += 1
        beginCommand("XADD", 2 + count)
        out.append(batch, 0..<batch.byteCount)
        stream.isEntryDirect = true
    }

    public mutating func endStreamEntry() {
        guard pass == .writing, writes else {
            if pass == .surveying { stream.endEntry() }
            return
        }
        if !stream.isEntryDirect {
            beginCommand("XADD", 2 + batchArguments)
            out.append(batch, 0..<batch.byteCount)
        }
        stream.isEntryDirect = false
        stream.addedCount += 1
        stream.liveCount += 1
        batch.truncate(to: 0)
        batch.shrink(to: 2 << 20)
        batchArguments = 0
        relieve()
    }

    public mutating func streamState(_ state: StreamState) {
        stream.state = state
        guard writes else { return }
        if pass == .claiming { return addPlaceholders() }
        if stream.addedCount == 0 {
            beginCommand("XADD", 6)
            out.appendArgument("MAXLEN")
            out.appendArgument("0")
            out.appendArgument(max(state.lastID, StreamID(milliseconds: 0, sequence: 1)))
            out.appendArgument("x")
            out.appendArgument("y")
            stream.addedCount = 1
        }
        if let settings = stream.idempotence, options.target.hasIdempotence {
            beginCommand("XCFGSET", 5)
            out.appendArgument("IDMP-DURATION")
            out.appendArgument(String(settings.durationSeconds))
            out.appendArgument("IDMP-MAXSIZE")
            out.appendArgument(String(settings.maxEntries))
        }
    }

    private mutating func addPlaceholders() {
        for index in stream.pendingIDs.ids.indices {
            beginCommand("XADD", 4)
            out.appendArgument(stream.pendingIDs.ids[index])
            out.appendArgument("x")
            out.appendArgument("y")
            stream.addedCount += 1
            stream.lastAddedID = stream.pendingIDs.ids[index]
            relieve()
            if !writes { return }
        }
    }

    mutating func endClaiming() -> Pass {
        beginCommand("XTRIM", 3)
        out.appendArgument("MAXLEN")
        out.appendArgument("0")
        let next = stream.endClaiming()
        if next == .writing { setID(StreamCommands.zero) }
        return next
    }

    // MARK: - Groups

    /// Whether this pass makes groups and consumers; another one may only have more claims of them.
    private var makesGroups: Bool { writes && !stream.hasClaimed }
    private var claims: Bool { writes && (pass == .claiming || !stream.hasClaimed) }

    public mutating func group(_ state: GroupState) {
        stream.consumers.removeAll()
        stream.pending.removeAll()
        let counts = options.target.hasStreamCounters
        if case .count = state.entriesRead, !counts { losses.insert(.streamCounters) }
        guard makesGroups else { return }
        let entriesRead = state.entriesRead == .absent ? stream.estimatedRead(upTo: state.lastID) : state.entriesRead
        let read: UInt64? = if case .count(let count) = entriesRead { count } else { nil }
        if counts, let read, read > stream.addedCount {
            // Redis 8.0 and later take no more entries for read than were added.
            setCounters(
                max(stream.state.lastID, stream.lastAddedID), entriesAdded: read, maxDeletedID: StreamCommands.zero)
            stream.addedCount = read
        }
        out.beginCommand(counts ? 7 : 5)
        beginGroupCommand("XGROUP", "CREATE")
        out.appendArgument(state.lastID)
        guard counts else { return }
        out.appendArgument("ENTRIESREAD")
        if let read { out.appendArgument(decimal: Int64(clamping: read)) } else { out.appendArgument("-1") }
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
        if pass == .surveying { return stream.add(pending: entry.id) }
        guard claims else { return }
        // Of a group in passes: only what this one put there.
        if pass == .claiming, !stream.pendingIDs.covers(entry.id) { return }
        stream.pending.add(entry)
    }

    mutating func consumerName(_ name: RawSpan) {
        endConsumer()
        guard claims else { return }
        stream.pending.startConsumer()
        guard stream.pending.isFirstPass else { return }
        stream.consumers.add { $0.appendArgument(name) }
        guard makesGroups, options.target.hasCreateConsumer else { return }
        out.beginCommand(5)
        beginGroupCommand("XGROUP", "CREATECONSUMER")
        out.appendArgument(name)
        relieve()
    }

    /// The survey refuses what the passes that write cannot hold.
    mutating func countConsumer(_ name: RawSpan) {
        endConsumer()
        guard pass == .surveying else { return }
        stream.consumers.add { $0.appendArgument(name) }
        if stream.consumers.byteCount > Self.maxConsumerByteCount {
            refuse(tooLarge("consumers of one group of at most 8 MiB in all", UInt64(stream.consumers.byteCount)))
        }
    }

    public mutating func consumer(_ times: ConsumerTimes) {
        losses.insert(.consumerTimes)
        stream.hasConsumer = true
        if stream.pending.isFirstPass { stream.consumers.add(times) }
    }

    public mutating func consumerPending(_ id: StreamID) {
        stream.ownedCount += 1
        if claims { _ = stream.pending.assign(id) }
    }

    /// Before Redis 6.2 consumers come into being by what they claim.
    private mutating func endConsumer() {
        if stream.hasConsumer, stream.ownedCount == 0, !options.target.hasCreateConsumer {
            losses.insert(.idleConsumers)
        }
        stream.hasConsumer = false
        stream.ownedCount = 0
    }

    public mutating func endGroup() -> Bool {
        endConsumer()
        guard claims else { return false }
        let limit = idsPerCommand
        var index = 0
        while index < stream.pending.entries.count {
            let first = stream.pending.entries[index]
            let owner = stream.pending.owner(of: index)
            var end = index + 1
            // Entries delivered together are claimed together.
            while end < stream.pending.entries.count, end - index < limit,
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
        guard writes, pass == .writing else { return }
        beginCommand("XIDMPRECORD", 4)
        out.append(stream.producer, 0..<stream.producer.byteCount)
        out.append(stream.producerEntry, 0..<stream.producerEntry.byteCount)
        out.appendArgument(id)
        relieve()
    }

    public mutating func idempotence(_ state: IdempotenceState) {
        stream.idempotence = state
        // Every stream of such a server has settings: 100 seconds and 100 entries where nobody asked for others.
        if !options.target.hasIdempotence, state.durationSeconds != 100 || state.maxEntries != 100 {
            losses.insert(.idempotence)
        }
    }

    // MARK: - End

    /// Sets what only the end knows.
    mutating func endStream() {
        let state = stream.state
        // Not below an entry, which no server takes.
        let lastID = max(state.lastID, stream.lastAddedID)
        let maxDeletedID = state.maxDeletedID ?? StreamCommands.zero
        // Redis 7.0 lets the last ID be set below the highest deleted one, others do not.
        if maxDeletedID > lastID { losses.insert(.streamCounters) }
        if options.target.hasStreamCounters {
            setCounters(
                lastID, entriesAdded: max(state.entriesAdded ?? state.length, stream.liveCount),
                maxDeletedID: min(maxDeletedID, lastID))
        } else {
            setID(lastID)
            let added = state.entriesAdded ?? stream.addedCount
            if added != stream.addedCount || maxDeletedID != StreamCommands.zero || stream.hasClaimed {
                losses.insert(.streamCounters)
            }
        }
    }

    private mutating func setID(_ id: StreamID) {
        beginCommand("XSETID", 2)
        out.appendArgument(id)
    }

    private mutating func setCounters(_ id: StreamID, entriesAdded: UInt64, maxDeletedID: StreamID) {
        beginCommand("XSETID", 6)
        out.appendArgument(id)
        out.appendArgument("ENTRIESADDED")
        out.appendArgument(decimal: Int64(clamping: entriesAdded))
        out.appendArgument("MAXDELETEDID")
        out.appendArgument(maxDeletedID)
    }
}
