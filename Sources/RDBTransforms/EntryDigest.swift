public import RDBBytes
public import RDBModel

/// A digest of what an entry holds: the same for the same data, in whatever encoding, order and version it is stored.
///
///     digest.begin(header, key)
///     try reader.readValue(into: &digest)
///     let value = digest.finish()
///
/// What counts: database, key, type, value, expiry, expiries of hash fields; of a stream its entries, last ID, counters,
/// groups with their pending entries and owners, idempotent producers; what modules wrote. `Parts` leaves some of it out.
/// What does not: encoding, the order of anything but lists and stream entries, LRU and LFU, a stream's first ID (which
/// its entries tell), when consumers were last seen (unless asked for).
///
/// Texts are equal by their bytes: an integer is its decimal text. Scores are equal as doubles: 0 and -0 are one, all
/// not-a-numbers are one.
///
/// What older files lack counts as a server fills it in when it loads them: entries added are the entries there are, the
/// largest deleted ID is 0-0, and a group's entries read are known where no entry can be missing before its last ID. A
/// stream without idempotent producers whose settings are the servers' defaults is like one that knows of none.
///
/// Made for a pass of its own: beside a visitor that has groups read again it would count them twice.
///
/// Memory: fixed. Unordered elements are hashed one by one and added up modulo 2^128; each sum is hashed with the count.
/// Who owns a pending entry is a second sum in each consumer, because files tell it after the entry itself.
///
/// The hash is SipHash-1-3 with 128 bits. With a key that nobody else knows, two different entries have the same digest
/// by chance only, about once in 2^128; with the public default key that holds for data not made to collide.
public struct EntryDigest: DigestVisitor {
    /// What of an entry counts.
    public struct Parts: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let database = Parts(rawValue: 1)
        public static let expiry = Parts(rawValue: 2)
        public static let fieldExpiry = Parts(rawValue: 4)
        /// Groups, pending entries and consumers.
        public static let streamGroups = Parts(rawValue: 8)
        /// Entries added and read, the largest deleted ID, and what idempotent producers sent: older servers do not count.
        public static let streamCounters = Parts(rawValue: 16)
        /// When pending entries were delivered. How often stays.
        public static let deliveryTimes = Parts(rawValue: 32)
        /// When consumers were last seen and active.
        public static let consumerTimes = Parts(rawValue: 64)
        /// Idempotent producers and their settings.
        public static let streamProducers = Parts(rawValue: 128)

        public static let data: Parts = [
            .database, .expiry, .fieldExpiry, .streamGroups, .streamCounters, .deliveryTimes, .streamProducers,
        ]
    }

    /// The characters `rdbkit digest v1`: digests of different runs and programs can be compared.
    public static let publicKey = Digest128(high: 0x3176_2074_7365_6769, low: 0x6420_7469_6b62_6472)

    /// Hash fields that expire up to this time (Unix milliseconds) are left out: a server may have dropped them already.
    public var fieldsExpireAfter: Int64?
    private let parts: Parts
    let key: Digest128
    private let beginnings: Beginnings

    /// The message of the entry itself; of what lies in it and holds elements of its own (a path, a group); of an element.
    private var entry: SipHash
    /// An entry's message up to its expiry and key, of the entry before: mostly the next one begins alike.
    private var head: SipHash
    private var headWord: UInt64 = .max
    private var headDatabase: UInt64 = 0
    private var container: SipHash
    private var element: SipHash

    private var type = ValueType.string
    private var hasFieldExpiries = false
    /// Of a path or a producer that is not complete yet; of a consumer.
    private var isInContainer = false
    private var isInConsumer = false

    // The text that comes in chunks.
    private var largePlace = Place.entry
    private var largeText: SipHash.Text

    /// Elements of the value, or of the container.
    private var elements = DigestSum()
    /// Paths or groups.
    private var containers = DigestSum()

    // Streams.
    private var pending = DigestSum()
    private var owned = DigestSum()
    private var producers = DigestSum()
    private var firstID: StreamID?
    private var state = StreamState(length: 0, lastID: StreamID(milliseconds: 0, sequence: 0))
    private var idempotence: IdempotenceState?

    private var insertIndex: UInt64?

    /// Every kind of message begins with a word of its own, hashed once.
    private struct Beginnings {
        let entry, member, field, arrayElement, path, group, pending, consumer, owned, producer, produced: SipHash

        init(key: Digest128) {
            func beginning(_ kind: UInt64) -> SipHash {
                var hash = SipHash(key: key)
                hash.append(word: kind)
                return hash
            }
            entry = beginning(1)
            member = beginning(2)
            field = beginning(3)
            arrayElement = beginning(4)
            path = beginning(5)
            group = beginning(6)
            pending = beginning(7)
            consumer = beginning(8)
            owned = beginning(9)
            producer = beginning(10)
            produced = beginning(11)
        }
    }

    /// Words within a message that no text begins with: their top byte is 1 to 127.
    private enum Mark {
        static let streamEntry: UInt64 = 1 << 56
        static let streamState: UInt64 = 2 << 56
        static let unowned: UInt64 = 3 << 56
        static let idempotence: UInt64 = 4 << 56
        static let insertIndex: UInt64 = 5 << 56
        static let signed: UInt64 = 6 << 56
        static let unsigned: UInt64 = 7 << 56
        static let float: UInt64 = 8 << 56
        static let double: UInt64 = 9 << 56
    }

    /// - Parameter key: another one than the public key makes digests that nobody can foresee.
    public init(_ parts: Parts = .data, key: Digest128 = EntryDigest.publicKey) {
        self.parts = parts
        self.key = key
        beginnings = Beginnings(key: key)
        entry = beginnings.entry
        head = beginnings.entry
        container = beginnings.path
        element = beginnings.member
        largeText = entry.beginText(byteCount: 0)
    }

    // MARK: - Entries

    /// Begins an entry, whatever became of the one before.
    public mutating func begin(_ header: EntryHeader, key: RawSpan) {
        type = header.type
        hasFieldExpiries = header.hasFieldExpiries
        isInContainer = false
        isInConsumer = false
        elements = DigestSum()
        entry = beginning(type: header.type, database: header.database, expiresAt: header.expiresAt)
        entry.append(text: key)
        switch header.type {
        case .stream:
            containers = DigestSum()
            producers = DigestSum()
            firstID = nil
            state = StreamState(length: 0, lastID: StreamID(milliseconds: 0, sequence: 0))
            idempotence = nil
        case .pathHash: containers = DigestSum()
        case .array: insertIndex = nil
        default: break
        }
    }

    /// An entry's message up to its key. Of a string, the value follows that as a text, and nothing more.
    @inline(__always)
    mutating func beginning(type: ValueType, database: UInt64, expiresAt: Int64?) -> SipHash {
        let expiresAt = parts.contains(.expiry) ? expiresAt : nil
        let hasDatabase = parts.contains(.database)
        let word = Self.number(of: type) | (expiresAt == nil ? 0 : 1 << 8) | (hasDatabase ? 1 << 9 : 0)
        if word != headWord || database != headDatabase { beginHead(word, database, hasDatabase) }
        var message = head
        if let expiresAt { message.append(word: UInt64(bitPattern: expiresAt)) }
        return message
    }

    @inline(never)
    private mutating func beginHead(_ word: UInt64, _ database: UInt64, _ hasDatabase: Bool) {
        headWord = word
        headDatabase = database
        head = beginnings.entry
        head.append(word: word)
        if hasDatabase { head.append(word: database) }
    }

    /// The digest of the entry whose value was read.
    public mutating func finish() -> Digest128 {
        switch type {
        case .string, .list, .hll, .module, .gcra, .cron: break
        case .set, .zset, .hash: entry.append(elements)
        case .array:
            entry.append(elements)
            if let insertIndex { entry.append(words: Mark.insertIndex, insertIndex) }
        case .pathHash:
            endPath()
            entry.append(containers)
        case .stream: finishStream()
        }
        return entry.finish()
    }

    /// Fixed for good: digests are compared between releases.
    static func number(of type: ValueType) -> UInt64 {
        switch type {
        case .string: 1
        case .list: 2
        case .set: 3
        case .zset: 4
        case .hash: 5
        case .stream: 6
        case .module: 7
        case .array: 8
        case .pathHash: 9
        case .gcra: 10
        case .hll: 11
        case .cron: 12
        }
    }

    // MARK: - Texts

    private enum Place { case entry, container, element }

    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        switch open(role) {
        case .entry: entry.append(text: bytes)
        case .container: container.append(text: bytes)
        case .element: element.append(text: bytes)
        }
        close(role)
    }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        switch open(role) {
        case .entry: entry.append(decimal: value)
        case .container: container.append(decimal: value)
        case .element: element.append(decimal: value)
        }
        close(role)
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        largePlace = open(role)
        switch largePlace {
        case .entry: largeText = entry.beginText(byteCount: byteCount)
        case .container: largeText = container.beginText(byteCount: byteCount)
        case .element: largeText = element.beginText(byteCount: byteCount)
        }
    }

    public mutating func largeTextChunk(_ bytes: RawSpan) {
        switch largePlace {
        case .entry: entry.append(bytes, to: &largeText)
        case .container: container.append(bytes, to: &largeText)
        case .element: element.append(bytes, to: &largeText)
        }
    }

    public mutating func endLargeText(as role: TextRole) {
        switch largePlace {
        case .entry: entry.endText(largeText)
        case .container: container.endText(largeText)
        case .element: element.endText(largeText)
        }
        close(role)
    }

    /// Begins what a text stands first in, and tells which message the text belongs to.
    @inline(__always)
    private mutating func open(_ role: TextRole) -> Place {
        switch role {
        case .string, .element, .streamField, .streamValue, .modulePart: return .entry
        case .member:
            element = beginnings.member
            return .element
        case .field:
            element = beginnings.field
            return .element
        case .fieldValue, .arrayElement: return .element
        case .path, .groupName, .consumerName, .producerID, .producerEntryID: return openRare(role)
        }
    }

    /// After a text: the element is complete where nothing follows.
    @inline(__always)
    private mutating func close(_ role: TextRole) {
        switch role {
        case .member: if type == .set { endElement() }
        case .fieldValue: if !hasFieldExpiries { endElement() }
        case .arrayElement: endElement()
        default: break
        }
    }

    private mutating func endElement() { elements.add(element.finish()) }

    @inline(never)
    private mutating func openRare(_ role: TextRole) -> Place {
        switch role {
        case .path:
            endPath()
            container = beginnings.path
            isInContainer = true
            return .container
        case .groupName:
            container = beginnings.group
            pending = DigestSum()
            elements = DigestSum()
            return .container
        case .consumerName:
            endConsumer()
            element = beginnings.consumer
            isInConsumer = true
            owned = DigestSum()
            return .element
        case .producerID:
            endProducer()
            container = beginnings.producer
            isInContainer = true
            elements = DigestSum()
            return .container
        default:
            element = beginnings.produced
            return .element
        }
    }

    private mutating func endPath() {
        guard isInContainer else { return }
        isInContainer = false
        container.append(elements)
        containers.add(container.finish())
        elements = DigestSum()
    }

    // MARK: - Numbers

    public mutating func score(_ value: Double) {
        element.append(word: value == 0 ? 0 : value.isNaN ? Double.nan.bitPattern : value.bitPattern)
        endElement()
    }

    public mutating func fieldExpiry(_ expiresAt: Int64?) {
        if let expiresAt, let fieldsExpireAfter, expiresAt <= fieldsExpireAfter { return }
        if let expiresAt, parts.contains(.fieldExpiry) { element.append(word: UInt64(bitPattern: expiresAt)) }
        endElement()
    }

    public mutating func unsigned(_ value: UInt64) { entry.append(word: value) }

    public mutating func arrayInsertIndex(_ index: UInt64) { insertIndex = index }

    public mutating func arrayIndex(_ index: UInt64) {
        element = beginnings.arrayElement
        element.append(word: index)
    }

    // MARK: - Streams

    public mutating func streamEntry(_ id: StreamID) {
        if firstID == nil { firstID = id }
        entry.append(word: Mark.streamEntry)
        entry.append(words: id.milliseconds, id.sequence)
    }

    public mutating func streamState(_ state: StreamState) {
        self.state = state
        entry.append(word: Mark.streamState)
        entry.append(words: state.lastID.milliseconds, state.lastID.sequence)
        elements = DigestSum()
        guard parts.contains(.streamCounters) else { return }
        entry.append(word: state.entriesAdded ?? state.length)
        let deleted = state.maxDeletedID ?? StreamID(milliseconds: 0, sequence: 0)
        entry.append(words: deleted.milliseconds, deleted.sequence)
    }

    public mutating func group(_ group: GroupState) {
        container.append(words: group.lastID.milliseconds, group.lastID.sequence)
        guard parts.contains(.streamCounters) else { return }
        let count: UInt64? =
            switch group.entriesRead {
            case .count(let count): count
            case .unknown: nil
            case .absent: Self.countRead(upTo: group.lastID, state, firstID: firstID)
            }
        container.append(words: count == nil ? 0 : 1, count ?? 0)
    }

    /// What a server takes for the entries that a group has read, where the file does not say.
    /// Source: redis/redis src/t_stream.c, streamEstimateDistanceFromFirstEverEntry, for a stream of which nothing was
    /// ever deleted, as one from such a file is taken to be.
    static func countRead(upTo id: StreamID, _ state: StreamState, firstID: StreamID?) -> UInt64? {
        guard state.length > 0, let first = state.firstID ?? firstID else { return 0 }
        if id == state.lastID { return state.length }
        if id > state.lastID { return nil }
        return id < first ? 0 : id == first ? 1 : nil
    }

    public mutating func pendingEntry(_ entry: PendingEntry) {
        guard parts.contains(.streamGroups) else { return }
        var message = beginnings.pending
        message.append(words: entry.id.milliseconds, entry.id.sequence)
        message.append(word: entry.deliveryCount)
        if parts.contains(.deliveryTimes) { message.append(word: UInt64(bitPattern: entry.deliveredAt)) }
        pending.add(message.finish())
    }

    public mutating func consumer(_ times: ConsumerTimes) {
        guard parts.contains(.consumerTimes) else { return }
        element.append(word: UInt64(bitPattern: times.seenAt))
        // A server that loads an old file takes the one for the other.
        element.append(word: UInt64(bitPattern: times.activeAt ?? times.seenAt))
    }

    public mutating func consumerPending(_ id: StreamID) {
        guard parts.contains(.streamGroups) else { return }
        var message = beginnings.owned
        message.append(words: id.milliseconds, id.sequence)
        owned.add(message.finish())
    }

    private mutating func endConsumer() {
        guard isInConsumer else { return }
        isInConsumer = false
        element.append(owned)
        endElement()
    }

    /// These have an order: what was given back first is delivered first.
    public mutating func negativelyAcknowledged(_ id: StreamID) {
        container.append(word: Mark.unowned)
        container.append(words: id.milliseconds, id.sequence)
    }

    public mutating func endGroup() -> Bool {
        endConsumer()
        container.append(pending)
        container.append(elements)
        containers.add(container.finish())
        return false
    }

    public mutating func producerEntry(_ id: StreamID) {
        element.append(words: id.milliseconds, id.sequence)
        endElement()
    }

    private mutating func endProducer() {
        guard isInContainer else { return }
        isInContainer = false
        container.append(elements)
        producers.add(container.finish())
    }

    public mutating func idempotence(_ state: IdempotenceState) {
        endProducer()
        idempotence = state
    }

    private mutating func finishStream() {
        if parts.contains(.streamGroups) { entry.append(containers) }
        guard parts.contains(.streamProducers), let idempotence else { return }
        let added = parts.contains(.streamCounters) ? idempotence.idsAdded : 0
        let duplicate = parts.contains(.streamCounters) ? idempotence.idsDuplicate : 0
        // The defaults of Redis 8.6: stream-idmp-duration 100, stream-idmp-maxsize 100.
        if producers.count == 0, added == 0, duplicate == 0, idempotence.durationSeconds == 100,
            idempotence.maxEntries == 100
        {
            return
        }
        entry.append(word: Mark.idempotence)
        entry.append(words: idempotence.durationSeconds, idempotence.maxEntries)
        entry.append(words: added, duplicate)
        entry.append(producers)
    }

    // MARK: - Modules

    public mutating func module(_ id: ModuleID) { entry.append(word: id.rawValue) }
    public mutating func moduleSigned(_ value: Int64) { entry.append(words: Mark.signed, UInt64(bitPattern: value)) }
    public mutating func moduleUnsigned(_ value: UInt64) { entry.append(words: Mark.unsigned, value) }
    public mutating func moduleFloat(_ value: Float) { entry.append(words: Mark.float, UInt64(value.bitPattern)) }
    public mutating func moduleDouble(_ value: Double) { entry.append(words: Mark.double, value.bitPattern) }
}
