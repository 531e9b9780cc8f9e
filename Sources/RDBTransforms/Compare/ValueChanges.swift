public import RDBBytes
public import RDBModel

/// What changed between two values of the same type, element by element, in an order that does not depend on how they
/// are stored: by name, index or ID.
public struct ValueChanges: ~Copyable {
    private var sorter: RecordSorter
    private let longTexts: SpillFile
    private let expiryTolerance: Int64
    /// The edits of a list are not the fewest that there are: it is too large or too different for that.
    public let isCoarse: Bool
    /// Elements of both lists.
    public let listCounts: (a: Int, b: Int)?

    /// A name that comes more often in one value is damaged data: so many are told.
    private static let maxRepeats = 256
    private static let maxRepeatedByteCount = 16 << 20

    init(
        _ sorter: consuming RecordSorter, longTexts: SpillFile, expiryTolerance: Int64 = 0, isCoarse: Bool = false,
        listCounts: (a: Int, b: Int)? = nil
    ) {
        self.listCounts = listCounts
        self.sorter = sorter
        self.longTexts = longTexts
        self.expiryTolerance = expiryTolerance
        self.isCoarse = isCoarse
    }

    public init(_ recorder: consuming ElementRecorder, longTexts: SpillFile, expiryTolerance: Int64?) {
        self.init(recorder.finish(), longTexts: longTexts, expiryTolerance: expiryTolerance ?? 0)
    }

    /// Calls `body` with each change. May be called again.
    public mutating func visit(_ body: (ElementChange) throws(SpillError) -> Void) throws(SpillError) {
        let teller = ChangeTeller(longTexts: longTexts, expiryTolerance: expiryTolerance)
        // What both sides have at the same path.
        var path: [UInt8] = []
        var sides: [[[UInt8]]] = [[], []]
        var byteCount = 0
        try sorter.visit { (key, payload) throws(SpillError) in
            if !Self.isEqual(path, key) {
                try teller.tell(path, sides, body)
                path.removeAll(keepingCapacity: true)
                path += key.array
                sides[0].removeAll(keepingCapacity: true)
                sides[1].removeAll(keepingCapacity: true)
            }
            let side = Int(payload.byte(at: 0))
            if sides[side].isEmpty {
                byteCount = payload.byteCount
            } else {
                byteCount += payload.byteCount
                if sides[side].count >= Self.maxRepeats || byteCount > Self.maxRepeatedByteCount { return }
            }
            sides[side].append(payload.array)
        }
        try teller.tell(path, sides, body)
    }

    private static func isEqual(_ path: [UInt8], _ key: RawSpan) -> Bool {
        path.count == key.byteCount && RecordSorter.compare(path.rawSpan, key) == 0
    }
}
