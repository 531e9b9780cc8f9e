import RDBBytes
public import RDBModel

/// Where the bytes are: sums by type, encoding, database and prefix, the largest entries, histograms.
///
/// Parts of a file are added up by one audit each, and `absorb` takes them over in the order of the file: then the result
/// does not depend on how the work was shared out.
///
/// Memory: at most 1024 databases, `topCount` entries for each ranking, 8 levels of prefixes with at most 16384 nodes
/// each (see `PrefixTree`): together below 48 MiB, whatever the files hold.
public struct MemoryAudit: Sendable {
    public struct Settings: Sendable {
        public var measures: [AuditMeasure] = [.memory]
        public var topCount = 10
        /// Whether each type has rankings of its own.
        public var ranksTypes = false
        public var division = KeyDivision.found
        public var countsSlots = false
        public var conditions: [AuditCondition] = []
        /// Unix time in milliseconds: what is expired, and how long the rest has.
        public var now: Int64
        /// Nodes of a level of the tree of prefixes, see `PrefixTree`.
        public var prefixCapacity = 4096

        public init(now: Int64) { self.now = now }
    }

    public struct Database: Equatable, Sendable {
        public var sum = AuditSum()
        public var expired: UInt64 = 0
    }

    public static let maxDatabases = 1024

    public let settings: Settings

    public private(set) var total = AuditSum()
    public private(set) var keyBytes: UInt64 = 0
    public private(set) var elements: UInt64 = 0
    /// Keys whose time is over, and what they take.
    public private(set) var expired = AuditSum()
    /// Keys of types that the model does not know.
    public private(set) var opaqueKeys: UInt64 = 0
    public private(set) var expiringFields: UInt64 = 0
    public private(set) var withIdleTime: UInt64 = 0

    /// By type, then encoding, both in the order of their cases.
    private var forms: [AuditSum]
    public private(set) var databases: [UInt64: Database] = [:]
    /// Of databases beyond the first 1024.
    public private(set) var otherDatabases = Database()
    private var present = Database()
    private var presentNumber: UInt64?

    /// Bytes in memory.
    public private(set) var sizes = LogHistogram()
    public private(set) var elementCounts = LogHistogram()
    /// Seconds left, of keys that are not expired.
    public private(set) var timesToLive = LogHistogram()
    public private(set) var idleTimes = LogHistogram()

    public private(set) var misses = EncodingMisses()
    public private(set) var prefixes: PrefixTree
    public private(set) var slots: SlotTally?
    public private(set) var conditions: [ConditionTally]
    /// Measure by measure; with `ranksTypes` behind them type by type.
    private var rankings: [TopEntries]

    private var parts: KeyParts
    private var patterns = PatternTally()
    /// Entries in `patterns`.
    private var patternEntries = 0

    private static let types = ValueType.allCases
    private static let encodingCount = ServerEncoding.allCases.count

    public init(_ settings: Settings) {
        self.settings = settings
        forms = Array(repeating: AuditSum(), count: Self.types.count * Self.encodingCount)
        prefixes = PrefixTree(capacity: settings.prefixCapacity)
        parts = KeyParts(settings.division)
        if settings.countsSlots { slots = SlotTally() }
        conditions = settings.conditions.filter { $0.metric.isOfKeys }.map { ConditionTally($0) }
        let rankingCount = settings.measures.count * (settings.ranksTypes ? Self.types.count + 1 : 1)
        rankings = Array(repeating: TopEntries(capacity: settings.topCount), count: rankingCount)
    }

    // MARK: - Entries

    public mutating func add(
        _ header: EntryHeader, key: RawSpan, _ memory: EntryMemory, serializedBytes: UInt64, limits: EncodingLimits
    ) {
        if presentNumber != header.database { select(header.database) }
        let isLasting = header.expiresAt == nil
        let sum = AuditSum(
            keys: 1, bytes: memory.bytes, serializedBytes: serializedBytes, lasting: isLasting ? 1 : 0)
        total += sum
        keyBytes = keyBytes.addingWithoutOverflow(UInt64(key.byteCount))
        elements = elements.addingWithoutOverflow(memory.elements)
        expiringFields = expiringFields.addingWithoutOverflow(memory.expiringFields)
        present.sum += sum
        forms[Self.index(header.type) * Self.encodingCount + Self.index(memory.encoding)] += sum
        if memory.encoding == .unknown { opaqueKeys &+= 1 }
        sizes.add(memory.bytes, sum)
        elementCounts.add(memory.elements, sum)
        if let expiresAt = header.expiresAt {
            if expiresAt <= settings.now {
                expired += sum
                present.expired &+= 1
            } else {
                timesToLive.add(timeToLive(expiresAt, now: settings.now) / 1000, sum)
            }
        }
        if let idle = header.idleSeconds {
            withIdleTime &+= 1
            idleTimes.add(idle, sum)
        }
        if memory.compactBytes != nil { misses.add(memory, limits) }
        parts.divide(key)
        patterns.add(parts, sum)
        patternEntries += 1
        slots?.add(key, sum)
        rank(header, key, memory, serializedBytes)
    }

    private mutating func rank(
        _ header: EntryHeader, _ key: RawSpan, _ memory: EntryMemory, _ serializedBytes: UInt64
    ) {
        for (number, measure) in settings.measures.enumerated() {
            let rank = measure.value(memory, serializedBytes: serializedBytes)
            if rankings[number].admits(rank) {
                rankings[number].add(Self.entry(header, key, memory, serializedBytes), rank: rank)
            }
            if settings.ranksTypes {
                let index = (Self.index(header.type) + 1) * settings.measures.count + number
                if rankings[index].admits(rank) {
                    rankings[index].add(Self.entry(header, key, memory, serializedBytes), rank: rank)
                }
            }
        }
        for index in conditions.indices {
            guard
                let figure = conditions[index].condition.figure(
                    header, keyByteCount: key.byteCount, memory, serializedBytes: serializedBytes, now: settings.now),
                let rank = conditions[index].add(figure)
            else { continue }
            conditions[index].keep(Self.entry(header, key, memory, serializedBytes), rank: rank)
        }
    }

    private static func entry(
        _ header: EntryHeader, _ key: RawSpan, _ memory: EntryMemory, _ serializedBytes: UInt64
    ) -> AuditEntry {
        AuditEntry(
            database: header.database,
            key: key.extracting(0..<min(key.byteCount, AuditEntry.maxKeptKeyByteCount)).array,
            keyByteCount: UInt64(key.byteCount), type: header.type, encoding: memory.encoding, bytes: memory.bytes,
            serializedBytes: serializedBytes, elements: memory.elements,
            largestElementBytes: memory.largestElementBytes, expiresAt: header.expiresAt,
            idleSeconds: header.idleSeconds, lfuFrequency: header.lfuFrequency)
    }

    private mutating func select(_ number: UInt64) {
        finishDatabase()
        presentNumber = number
    }

    /// Adds what was counted since the database was selected.
    private mutating func finishDatabase() {
        guard let number = presentNumber, present.sum.keys > 0 else { return }
        add(present, to: number)
        present = Database()
    }

    private mutating func add(_ part: Database, to number: UInt64) {
        if databases.count < Self.maxDatabases || databases[number] != nil {
            databases[number, default: Database()].sum += part.sum
            databases[number, default: Database()].expired &+= part.expired
        } else {
            otherDatabases.sum += part.sum
            otherDatabases.expired &+= part.expired
        }
    }

    @inline(__always)
    private static func index(_ type: ValueType) -> Int {
        switch type {
        case .string: 0
        case .list: 1
        case .set: 2
        case .zset: 3
        case .hash: 4
        case .stream: 5
        default: types.firstIndex(of: type) ?? 0
        }
    }

    @inline(__always)
    private static func index(_ encoding: ServerEncoding) -> Int {
        switch encoding {
        case .int: 0
        case .embstr: 1
        case .raw: 2
        default: ServerEncoding.allCases.firstIndex(of: encoding) ?? 0
        }
    }

    // MARK: - Parts

    /// Entries whose prefixes are not in the tree yet.
    public var isFull: Bool { patternEntries >= 8192 }

    /// Brings all sums up to date.
    public mutating func finish() {
        finishDatabase()
        prefixes.add(patterns)
        patterns.removeAll()
        patternEntries = 0
    }

    /// Takes over what another counted, of entries that come after all here, and empties it.
    /// - Parameter input: which of several inputs those stand in.
    public mutating func absorb(_ other: inout MemoryAudit, input: Int) {
        if patternEntries > 0 { finish() }
        other.finishDatabase()
        guard other.total.keys > 0 else { return }
        total += other.total
        keyBytes = keyBytes.addingWithoutOverflow(other.keyBytes)
        elements = elements.addingWithoutOverflow(other.elements)
        expired += other.expired
        opaqueKeys &+= other.opaqueKeys
        expiringFields = expiringFields.addingWithoutOverflow(other.expiringFields)
        withIdleTime &+= other.withIdleTime
        for index in forms.indices where other.forms[index].keys > 0 {
            forms[index] += other.forms[index]
            other.forms[index] = AuditSum()
        }
        for (number, part) in other.databases.sorted(by: { $0.key < $1.key }) { add(part, to: number) }
        otherDatabases.sum += other.otherDatabases.sum
        otherDatabases.expired &+= other.otherDatabases.expired
        sizes.add(other.sizes)
        elementCounts.add(other.elementCounts)
        timesToLive.add(other.timesToLive)
        idleTimes.add(other.idleTimes)
        misses.add(other.misses)
        prefixes.add(other.patterns)
        if slots != nil, other.slots != nil { slots!.absorb(&other.slots!) }
        for index in conditions.indices { conditions[index].absorb(&other.conditions[index], input: input) }
        for index in rankings.indices { rankings[index].absorb(&other.rankings[index], input: input) }
        other.empty()
    }

    /// Forgets what was counted; what was ranked is gone already.
    private mutating func empty() {
        total = AuditSum()
        keyBytes = 0
        elements = 0
        expired = AuditSum()
        opaqueKeys = 0
        expiringFields = 0
        withIdleTime = 0
        databases.removeAll(keepingCapacity: true)
        otherDatabases = Database()
        presentNumber = nil
        sizes.removeAll()
        elementCounts.removeAll()
        timesToLive.removeAll()
        idleTimes.removeAll()
        misses.removeAll()
        patterns.removeAll()
        patternEntries = 0
    }

    // MARK: - Results

    /// Keys without an expiry, as a share of all.
    public var lastingShare: Double { total.keys == 0 ? 0 : Double(total.lasting) / Double(total.keys) }
    public var expiredShare: Double { total.keys == 0 ? 0 : Double(expired.keys) / Double(total.keys) }

    /// Types that occur, in the order of their names' list, and the encodings of each.
    public var byType: [(type: ValueType, sum: AuditSum, encodings: [(encoding: ServerEncoding, sum: AuditSum)])] {
        Self.types.enumerated().compactMap { typeIndex, type in
            let encodings = ServerEncoding.allCases.enumerated().compactMap { index, encoding in
                let sum = forms[typeIndex * Self.encodingCount + index]
                return sum.keys > 0 ? (encoding: encoding, sum: sum) : nil
            }
            if encodings.isEmpty { return nil }
            return (type, encodings.reduce(into: AuditSum()) { $0 += $1.sum }, encodings)
        }
    }

    /// The highest by a measure, of one type where the audit ranks types.
    public func top(_ measure: AuditMeasure, type: ValueType? = nil) -> [AuditEntry] {
        guard let number = settings.measures.firstIndex(of: measure) else { return [] }
        guard let type else { return rankings[number].entries }
        return rankings[(Self.index(type) + 1) * settings.measures.count + number].entries
    }
}
