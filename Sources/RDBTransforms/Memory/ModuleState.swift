import RDBModel

/// A module's value while its parts pass.
///
/// Of vector sets it tells what their module tells. What another module makes of its parts nobody knows: its texts and
/// numbers are counted as they are, and its MEMORY USAGE is whatever the module says.
/// Source: redis/redis modules/vector-sets/vset.c, VectorSetMemUsage; hnsw.h.
struct ModuleState: Sendable {
    private var isVectorSet = false
    private var parts = VectorSetParts()
    private var numbers: UInt64 = 0
    private var configuration: UInt64 = 0
    private var flags: UInt64 = 0
    private var dimension: UInt64 = 0
    private var inputDimension: UInt64 = 0
    private var nodes: UInt64 = 0
    private var vectorBytes: UInt64 = 0
    private var nameBytes: UInt64 = 0
    private var attributeBytes: UInt64 = 0
    private var otherBytes: UInt64 = 0
    private(set) var elements: UInt64 = 0

    mutating func begin(_ id: ModuleID) { isVectorSet = VectorSetParts.isVectorSet(id) }

    mutating func addNumber(_ value: UInt64) {
        numbers += 1
        otherBytes &+= 8
        if !isVectorSet {
            elements += 1
            return
        }
        switch parts.number(value) {
        case .dimension: dimension = value
        case nil: isVectorSet = false
        default:
            if numbers == 3 { configuration = value }
            if numbers == 4 { flags = value }
            if numbers == 5, flags & 1 != 0 { inputDimension = value }
        }
    }

    mutating func addOther() {
        otherBytes &+= 8
        elements += 1
        isVectorSet = false
    }

    mutating func addText(_ length: UInt64, _ allocator: Allocator) {
        let string = 16 &+ allocator.size(StringSizes.newSDS(length))
        otherBytes &+= string
        if !isVectorSet {
            elements += 1
            return
        }
        switch parts.text() {
        case .name:
            nameBytes &+= string
            nodes += 1
        case .attributes: if length > 0 { attributeBytes &+= string }
        case .vector: vectorBytes &+= length
        case nil: isVectorSet = false
        default: break
        }
    }

    func finish() -> ValueSizes {
        var sizes = ValueSizes(.module, counted: otherBytes, allocated: otherBytes)
        if isVectorSet {
            // Links of a node in the lowest layer, twice as many as the configured number.
            let links = max((configuration >> 8) & 0xffff, 1) &* 2
            // A node, its layers (four thirds of one), its links, its place in the dictionary.
            let each = 312 &+ 32 &+ 8 &* links &+ 8 &* (links / 2) / 3 &+ 16
            let (matrix, isHuge) = inputDimension.multipliedReportingOverflow(by: 4 &* dimension)
            let whole =
                1784 &+ nodes &* each &+ vectorBytes &+ nameBytes &+ attributeBytes
                &+ (flags & 1 != 0 && !isHuge && matrix < otherBytes ? matrix : 0)
            sizes.counted = whole
            sizes.allocated = whole
        }
        return sizes
    }

    var elementCount: UInt64 { isVectorSet ? nodes : elements }
}
