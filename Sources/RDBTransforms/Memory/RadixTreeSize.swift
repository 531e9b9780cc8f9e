import RDBModel

/// The nodes of a radix tree of stream IDs, counted while the IDs pass in ascending order.
///
/// Keys are 16 bytes, big endian. A node is one of: the end of a key; a branch, with a byte and a pointer for each child;
/// or a run of bytes with one child. What follows from the keys alone: each ID shares its first bytes with the one before
/// and adds a branch, or a child to a branch, where they part.
///
/// Source: redis/redis src/rax.h (layout of a node), src/rax.c (raxGenericInsert, raxPadding).
struct RadixTreeSize: Sendable {
    private let allocator: Allocator
    private(set) var count: UInt64 = 0
    private(set) var nodes: UInt64 = 1
    /// Bytes of all nodes, without the tree's own structure.
    private(set) var nodeBytes: UInt64
    private var last = StreamID(milliseconds: 0, sequence: 0)
    /// Bit n: the path to the last key branches at its byte n.
    private var branches: UInt32 = 0
    private var children: InlineArray<16, UInt16> = .init(repeating: 0)

    init(_ allocator: Allocator) {
        self.allocator = allocator
        nodeBytes = allocator.size(Self.size(bytes: 0, pointers: 0))
    }

    private static let keyByteCount = 16

    /// Head of 4 bytes, the bytes, padding to a multiple of 8, the pointers.
    private static func size(bytes: Int, pointers: Int) -> UInt64 { UInt64((4 + bytes + 7) & ~7 + pointers * 8) }

    private mutating func addNode(bytes: Int, pointers: Int) {
        nodes += 1
        nodeBytes += allocator.size(Self.size(bytes: bytes, pointers: pointers))
    }

    private mutating func addRun(_ byteCount: Int) {
        if byteCount > 0 { addNode(bytes: byteCount, pointers: 1) }
    }

    private mutating func removeRun(_ byteCount: Int) {
        if byteCount > 0 {
            nodes -= 1
            nodeBytes -= allocator.size(Self.size(bytes: byteCount, pointers: 1))
        }
    }

    /// Adds a key that is not smaller than those before.
    mutating func add(_ id: StreamID) {
        count += 1
        defer { last = id }
        if count == 1 {
            // The head becomes the run.
            nodes = 0
            nodeBytes = 0
            addRun(Self.keyByteCount)
            addNode(bytes: 0, pointers: 1)
            return
        }
        let difference = id.milliseconds ^ last.milliseconds
        let other = id.sequence ^ last.sequence
        let at = difference != 0 ? difference.leadingZeroBitCount / 8 : 8 + other.leadingZeroBitCount / 8
        // The same key again adds nothing.
        if at >= Self.keyByteCount { return }
        if branches & 1 << at != 0 {
            let width = Int(children[at])
            nodeBytes -= allocator.size(Self.size(bytes: width, pointers: width))
            children[at] = UInt16(min(width + 1, 256))
            nodeBytes += allocator.size(Self.size(bytes: width + 1, pointers: width + 1))
        } else {
            let below = branches & (1 << at - 1)
            let above = branches & ~(1 << at - 1)
            let start = below == 0 ? 0 : 32 - below.leadingZeroBitCount
            let end = above == 0 ? Self.keyByteCount : above.trailingZeroBitCount
            removeRun(end - start)
            addRun(at - start)
            addNode(bytes: 2, pointers: 2)
            addRun(end - at - 1)
            children[at] = 2
        }
        addRun(Self.keyByteCount - at - 1)
        addNode(bytes: 0, pointers: 1)
        branches = branches & (1 << at - 1) | 1 << at
    }
}
