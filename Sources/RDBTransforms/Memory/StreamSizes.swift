import RDBModel

/// A stream while its parts pass: its tree of listpacks, its groups with their pending entries and consumers.
///
/// Sources: redis/redis src/stream.h, src/object.c (streamRadixTreeMemoryUsage, objectComputeSize);
/// valkey-io/valkey src/object.c (objectComputeSize), src/rax.c (raxAllocSize).
struct StreamSizes: Sendable {
    private let sizes: StructureSizes
    private let allocator: Allocator
    /// Valkey counts the nodes of radix trees, Redis guesses them from their number.
    private let countsNodes: Bool
    /// Redis 6.2.5 and before count the bytes of listpacks, all others what is allocated.
    private let countsBytesInUse: Bool

    private var tree: RadixTreeSize
    private var isNodeNew = false
    private var groupPending: RadixTreeSize
    private var consumerPending: RadixTreeSize
    private var hasConsumer = false
    /// The group with most pending entries, where the stream has an index of all of them (Redis 8.2).
    private var mostPending: RadixTreeSize?
    private var groups: UInt64 = 0
    private var counted: UInt64 = 0
    private var allocated: UInt64 = 0

    init(_ sizes: StructureSizes, _ allocator: Allocator, countsNodes: Bool) {
        self.sizes = sizes
        self.allocator = allocator
        self.countsNodes = countsNodes
        countsBytesInUse = sizes.isZiplist
        tree = RadixTreeSize(allocator)
        groupPending = tree
        consumerPending = tree
    }

    private func add(_ tree: RadixTreeSize, to counted: inout UInt64, _ allocated: inout UInt64) {
        let whole = allocator.size(sizes.radixTree) &+ tree.nodeBytes
        allocated &+= whole
        counted &+= countsNodes ? whole : tree.count &* 16 &+ tree.nodes &* 244
    }

    mutating func addListpack(byteCount: UInt64) {
        isNodeNew = true
        allocated &+= allocator.size(byteCount)
        counted &+= countsBytesInUse ? byteCount : allocator.size(byteCount)
    }

    mutating func addEntry(_ id: StreamID) {
        // A node is found by the ID of its first entry.
        if isNodeNew {
            tree.add(id)
            isNodeNew = false
        }
    }

    mutating func beginGroup(nameByteCount: UInt64) {
        groups += 1
        groupPending = RadixTreeSize(allocator)
        counted &+= sizes.group
        allocated &+= allocator.size(sizes.group) &+ leaf(nameByteCount)
        // The tree of consumers.
        allocated &+= allocator.size(sizes.radixTree)
    }

    /// What a name takes in a radix tree of names.
    private func leaf(_ byteCount: UInt64) -> UInt64 {
        allocator.size(((4 &+ byteCount &+ 7) & ~7) &+ 8) &+ allocator.size(16)
    }

    mutating func addPending(_ id: StreamID) { groupPending.add(id) }

    mutating func beginConsumer(nameByteCount: UInt64) {
        endConsumer()
        hasConsumer = true
        consumerPending = RadixTreeSize(allocator)
        counted &+= sizes.consumer &+ nameByteCount
        allocated &+=
            allocator.size(sizes.consumer) &+ allocator.size(StringSizes.newSDS(nameByteCount)) &+ leaf(nameByteCount)
    }

    mutating func addConsumerPending(_ id: StreamID) { consumerPending.add(id) }

    private mutating func endConsumer() {
        if hasConsumer { add(consumerPending, to: &counted, &allocated) }
        hasConsumer = false
    }

    mutating func endGroup() {
        endConsumer()
        if sizes.indexesPending {
            if groupPending.count > mostPending?.count ?? 0 { mostPending = groupPending }
            allocated &+= groupPending.count &* allocator.size(24)
        }
        add(groupPending, to: &counted, &allocated)
        counted &+= groupPending.count &* sizes.pending
        allocated &+= groupPending.count &* allocator.size(sizes.pending)
    }

    func finish() -> ValueSizes {
        var (counted, allocated) = (counted, allocated)
        add(tree, to: &counted, &allocated)
        // From each ID to a list of the groups in which it is pending, mostly the same IDs in all groups. None of it is in
        // MEMORY USAGE.
        if let mostPending {
            allocated &+=
                allocator.size(sizes.radixTree) &+ mostPending.nodeBytes
                &+ mostPending.count &* allocator.size(48)
        }
        if groups > 0 { allocated &+= allocator.size(sizes.radixTree) }
        return ValueSizes(
            .stream, counted: counted &+ sizes.stream, allocated: allocated &+ allocator.size(sizes.stream))
    }
}
