import RDBBytes
public import RDBModel

/// Adds up what an entry takes in memory while its value is read:
///
///     var visitor = MemoryVisitor(model)
///     visitor.begin(reader.header, key: reader.key)
///     try reader.readValue(into: &visitor)
///     let memory = visitor.finish()
///
/// The state it tells is that after a server has loaded the file: what commands made may stand in larger allocations.
/// Whatever a server draws at random (levels of skiplists, seeds of hash functions) counts by its expected value.
///
/// Memory: a fixed number of counters, under 1 KiB, whatever the value's size.
public struct MemoryVisitor: ValueVisitor, Sendable {
    public let model: MemoryModel
    let sizes: StructureSizes
    let allocator: Allocator
    let server: ServerModel

    // Of the entry.
    var header = EntryHeader()
    var keyByteCount: UInt64 = 0
    var count: UInt64 = 0
    var longest: UInt64 = 0
    /// The last text, a field or a member whose other half comes next.
    var held: UInt64 = 0

    /// Value of a string.
    var textByteCount: UInt64 = 0
    var textInteger: Int64?

    /// What the elements take one by one, without entries of dicts.
    var looseBytes: UInt64 = 0
    /// The same for what depends on the level of a skiplist's node, in 4096ths of a byte.
    var levelBytes: UInt64 = 0
    /// Whether `looseBytes` has to be known: not of what stays packed.
    var countsLoose = true
    /// The value packed into one listpack or ziplist: as it stands in the file, or as it would be.
    var packed: PackedSize
    var packedInFile: UInt64?

    var set = SetState()
    /// The number of the first field too long for a listpack.
    var firstLongField: UInt64?
    var expiringFields: UInt64 = 0
    var windows = WindowCount()
    var list: ListState
    var stream: StreamSizes
    var module = ModuleState()

    public init(_ model: MemoryModel) {
        self.model = model
        server = model.server
        allocator = model.allocator
        sizes = StructureSizes(model.server)
        packed = PackedSize(isZiplist: sizes.isZiplist)
        list = ListState(isZiplist: sizes.isZiplist)
        stream = StreamSizes(sizes, allocator, countsNodes: sizes.hasBuckets)
    }

    /// Begins an entry, whatever became of the one before.
    public mutating func begin(_ header: EntryHeader, key: RawSpan) {
        self.header = header
        keyByteCount = UInt64(key.byteCount)
        count = 0
        longest = 0
        countsLoose = true
        packedInFile = nil
        if expiringFields > 0 {
            windows = WindowCount()
            expiringFields = 0
        }
        switch header.type {
        case .string, .hll: break
        case .list: list = ListState(isZiplist: sizes.isZiplist)
        case .stream: stream = StreamSizes(sizes, allocator, countsNodes: sizes.hasBuckets)
        case .module: module = ModuleState()
        default:
            looseBytes = 0
            levelBytes = 0
            packed = PackedSize(isZiplist: sizes.isZiplist)
            set = SetState()
            firstLongField = nil
        }
    }

    // MARK: - Texts

    @inline(__always)
    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        let count = UInt64(bytes.byteCount)
        // Only where it decides the size.
        let isPacked = packedInFile != nil && !countsLoose
        let integer = count <= 20 && count > 0 && !isPacked ? Digits.parse(bytes) : nil
        take(count, integer, role)
    }

    @inline(__always)
    public mutating func integer(_ value: Int64, as role: TextRole) {
        take(UInt64(Digits.byteCount(value)), value, role)
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) { take(byteCount, nil, role) }

    @inline(__always)
    private mutating func take(_ length: UInt64, _ integer: Int64?, _ role: TextRole) {
        switch role {
        case .member:
            longest = max(longest, length)
            count += 1
            if header.type == .set {
                addMember(length, integer)
            } else {
                held = length
                if packedInFile == nil { packed.add(length, integer) }
            }
        case .field:
            count += 1
            held = length
            longest = max(longest, length)
            if packedInFile == nil { packed.add(length, integer) }
        case .fieldValue:
            longest = max(longest, length)
            if packedInFile == nil { packed.add(length, integer) }
            if firstLongField == nil, max(held, length) > model.limits.hashValue { firstLongField = count }
            if header.hasFieldExpiries {
                textByteCount = length
            } else if countsLoose {
                addField(held, length, hasExpiry: false)
            }
        case .element:
            longest = max(longest, length)
            count += 1
            list.add(length, integer, sizes, allocator, model.limits)
        case .string:
            count = 1
            longest = length
            textByteCount = length
            textInteger = integer
        case .streamField, .streamValue: longest = max(longest, length)
        default: takeRare(length, role)
        }
    }

    @inline(never)
    private mutating func takeRare(_ length: UInt64, _ role: TextRole) {
        longest = max(longest, length)
        switch role {
        case .groupName: stream.beginGroup(nameByteCount: length)
        case .consumerName: stream.beginConsumer(nameByteCount: length)
        case .modulePart: module.addText(length, allocator)
        case .arrayElement: count += 1
        case .path: count += 1
        default: break
        }
        if role != .modulePart, header.type != .stream { looseBytes &+= allocator.size(StringSizes.sds(length)) }
    }

    // MARK: - Parts

    public mutating func packed(byteCount: UInt64) {
        switch header.type {
        case .list:
            let isExact = (header.encoding == .quicklist2) != sizes.isZiplist
            list.beginNode(byteCount: isExact ? byteCount : nil, sizes, allocator)
        case .stream: stream.addListpack(byteCount: byteCount)
        default:
            // Another form than the server's is measured entry by entry.
            let isZiplist = header.encoding == .ziplist
            let isListpack = header.encoding == .listpack || header.encoding == .listpackex
            if isZiplist && sizes.isZiplist || isListpack && !sizes.isZiplist { packedInFile = byteCount }
        }
    }

    public mutating func plainNode() { list.beginPlainNode(allocator) }

    public mutating func elements(_ count: UInt64?) {
        guard let count, packedInFile != nil, let limits = model.limits.compactForm(of: header.type) else { return }
        countsLoose = count > limits.entries || header.hasFieldExpiries && sizes.hasBuckets
    }

    public mutating func score(_ value: Double) {
        if packedInFile == nil { addPackedScore(value) }
        if countsLoose { addScored(held) }
    }

    public mutating func fieldExpiry(_ expiresAt: Int64?) {
        if let expiresAt {
            expiringFields += 1
            if sizes.hasBuckets { windows.add(expiresAt) }
        }
        if packedInFile == nil { packed.add(0, expiresAt ?? 0) }
        if countsLoose { addField(held, textByteCount, hasExpiry: expiresAt != nil) }
    }

    public mutating func unsigned(_ value: UInt64) {
        count += 1
        looseBytes &+= 8
    }

    public mutating func arrayIndex(_ index: UInt64) { looseBytes &+= 8 }

    // MARK: - Streams and modules

    public mutating func streamEntry(_ id: StreamID) {
        count += 1
        stream.addEntry(id)
    }

    public mutating func group(_ state: GroupState) {}
    public mutating func pendingEntry(_ entry: PendingEntry) { stream.addPending(entry.id) }
    public mutating func consumerPending(_ id: StreamID) { stream.addConsumerPending(id) }
    public mutating func endGroup() -> Bool {
        stream.endGroup()
        return false
    }

    public mutating func module(_ id: ModuleID) { module.begin(id) }
    public mutating func moduleUnsigned(_ value: UInt64) { module.addNumber(value) }
    public mutating func moduleSigned(_ value: Int64) { module.addNumber(UInt64(bitPattern: value)) }
    public mutating func moduleFloat(_ value: Float) { module.addOther() }
    public mutating func moduleDouble(_ value: Double) { module.addOther() }
}
