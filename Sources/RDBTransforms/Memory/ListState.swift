/// A list while its elements pass: the nodes that the server makes of it.
///
/// Nodes of a file stay nodes. Elements that stand one by one fill nodes up to the configured size.
/// Sources: redis/redis src/rdb.c (rdbLoadObject), src/quicklist.c (_quicklistNodeAllowInsert, isLargeElement),
/// src/t_list.c (listTypeTryConvertQuicklist).
struct ListState: Sendable {
    private enum Place {
        /// Elements fill nodes of our own.
        case filling
        /// The elements of a node whose size is known.
        case known
        /// The elements of a node whose size is theirs.
        case measured
        /// The next element is a node.
        case plain
    }

    private let isZiplist: Bool
    private var place = Place.filling
    private var node: PackedSize
    private var countInNode: UInt64 = 0
    private(set) var nodes: UInt64 = 0
    private(set) var hasPlain = false
    /// Of nodes' contents: as MEMORY USAGE counts, and allocated.
    private(set) var counted: UInt64 = 0
    private(set) var allocated: UInt64 = 0
    /// Bytes of the last node that was closed.
    private(set) var lastByteCount: UInt64 = 0

    init(isZiplist: Bool) {
        self.isZiplist = isZiplist
        node = PackedSize(isZiplist: isZiplist)
    }

    private mutating func addNode(byteCount: UInt64, _ allocator: Allocator) {
        nodes += 1
        lastByteCount = byteCount
        // Redis 6.2 counts what is in use.
        counted &+= isZiplist ? byteCount : allocator.size(byteCount)
        allocated &+= allocator.size(byteCount)
    }

    mutating func close(_ allocator: Allocator) {
        if countInNode > 0, place != .known { addNode(byteCount: node.byteCount, allocator) }
        node = PackedSize(isZiplist: isZiplist)
        countInNode = 0
    }

    /// - Parameter byteCount: nil where the server packs the elements in another form than the file.
    mutating func beginNode(byteCount: UInt64?, _ sizes: StructureSizes, _ allocator: Allocator) {
        close(allocator)
        if let byteCount {
            place = .known
            addNode(byteCount: byteCount, allocator)
        } else {
            place = .measured
        }
    }

    mutating func beginPlainNode(_ allocator: Allocator) {
        close(allocator)
        place = .plain
    }

    @inline(__always)
    mutating func add(
        _ length: UInt64, _ integer: Int64?, _ sizes: StructureSizes, _ allocator: Allocator, _ limits: EncodingLimits
    ) {
        if place == .known { return }
        addMeasured(length, integer, sizes, allocator, limits)
    }

    private mutating func addMeasured(
        _ length: UInt64, _ integer: Int64?, _ sizes: StructureSizes, _ allocator: Allocator, _ limits: EncodingLimits
    ) {
        switch place {
        case .known: break
        case .measured:
            node.add(length, integer)
            countInNode += 1
        case .plain: addPlain(length, allocator)
        case .filling:
            let limit = limits.listNodeByteCount ?? 8192
            let isLarge = sizes.hasPackedLists ? length > limit : !isZiplist && length >= 1 << 30
            if isLarge {
                close(allocator)
                addPlain(length, allocator)
                return
            }
            let size = node.byteCount &+ length &+ (isZiplist ? overhead(length) : 8)
            let isFull = limits.listNodeByteCount == nil && countInNode >= UInt64(max(limits.listSize, 1))
            if countInNode > 0, size > limit || isFull { close(allocator) }
            node.add(length, integer)
            countInNode += 1
        }
    }

    private mutating func addPlain(_ length: UInt64, _ allocator: Allocator) {
        hasPlain = true
        addNode(byteCount: length, allocator)
        place = place == .plain ? .filling : place
    }

    /// What a ziplist's entry is taken to need besides its bytes.
    private func overhead(_ length: UInt64) -> UInt64 {
        (length < 254 ? 1 : 5) + (length < 64 ? 1 : length < 16384 ? 2 : 5)
    }
}

extension EncodingLimits {
    /// The bytes of a list's node; nil where elements are limited.
    var listNodeByteCount: UInt64? { listSize < 0 ? 2048 << UInt64(min(-listSize, 5)) : nil }
}

extension MemoryVisitor {
    mutating func finishList() -> ValueSizes {
        list.close(allocator)
        let limits = model.limits
        let isOne =
            list.nodes == 1 && !list.hasPlain
            && (limits.listNodeByteCount.map { list.lastByteCount <= $0 } ?? (count <= UInt64(max(limits.listSize, 1))))
        if sizes.hasPackedLists && isOne { return ValueSizes(.listpack, packed: list.lastByteCount) }
        return ValueSizes(
            .quicklist,
            counted: StructureSizes.quicklist &+ list.nodes &* sizes.quicklistNode &+ list.counted,
            allocated: allocator.size(StructureSizes.quicklist)
                &+ list.nodes &* allocator.size(sizes.quicklistNode) &+ list.allocated)
    }
}
