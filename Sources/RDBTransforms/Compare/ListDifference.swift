public import RDBBytes
public import RDBModel

/// Digests of a list's elements, in order. Beyond a number they are kept in a temporary file.
struct DigestList {
    private let maxCount: Int
    private var words: [UInt64] = []
    private let file = SpillFile()
    private(set) var count = 0

    init(maxCount: Int) { self.maxCount = max(1024, maxCount) }

    mutating func append(_ digest: Digest128) throws(SpillError) {
        words.append(digest.high)
        words.append(digest.low)
        count += 1
        if words.count >= maxCount * 2 {
            try file.append(unsafe words.span.bytes)
            words.removeAll(keepingCapacity: true)
        }
    }

    private var spilledCount: Int { Int(file.byteCount / 16) }

    /// A copy of some of them.
    func digests(_ range: Range<Int>) throws(SpillError) -> [Digest128] {
        var digests: [Digest128] = []
        digests.reserveCapacity(range.count)
        let inFile = range.clamped(to: 0..<spilledCount)
        if !inFile.isEmpty {
            let bytes = try file.bytes(UInt64(inFile.lowerBound) * 16..<UInt64(inFile.upperBound) * 16)
            func word(_ index: Int) -> UInt64 { (1...8).reduce(0) { $0 << 8 | UInt64(bytes[index + 8 - $1]) } }
            for index in 0..<inFile.count {
                digests.append(Digest128(high: word(index * 16), low: word(index * 16 + 8)))
            }
        }
        for index in range.clamped(to: spilledCount..<count) {
            let place = (index - spilledCount) * 2
            digests.append(Digest128(high: words[place], low: words[place + 1]))
        }
        return digests
    }
}

/// First pass over both lists: a digest of each element.
public struct ListDigests: ValueVisitor {
    private let beginning: SipHash
    private var element: SipHash
    private var largeText: SipHash.Text
    private var lists: [DigestList]
    private var side = Side.a
    public private(set) var failure: SpillError?
    private let maxMiddleCount: Int

    /// Of the edits of two lists of `n` and `m` elements: ids, digests, diagonals, marks.
    private static let byteCountOfElement = 112

    /// - Parameter memory: bytes for the digests and for the search of the fewest edits.
    public init(memory: Int, digestKey: Digest128) {
        beginning = SipHash(key: digestKey)
        element = beginning
        largeText = element.beginText(byteCount: 0)
        maxMiddleCount = max(4096, memory / Self.byteCountOfElement)
        let count = max(4096, memory / 64)
        lists = [DigestList(maxCount: count), DigestList(maxCount: count)]
    }

    public mutating func begin(_ side: Side) { self.side = side }

    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        element = beginning
        element.append(text: bytes)
        take()
    }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        element = beginning
        element.append(decimal: value)
        take()
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        element = beginning
        largeText = element.beginText(byteCount: byteCount)
    }

    public mutating func largeTextChunk(_ bytes: RawSpan) { element.append(bytes, to: &largeText) }

    public mutating func endLargeText(as role: TextRole) {
        element.endText(largeText)
        take()
    }

    private mutating func take() {
        if failure != nil { return }
        do throws(SpillError) { try lists[side.rawValue].append(element.finish()) } catch { failure = error }
    }

    /// What is to be replaced by what.
    public func edits() throws(SpillError) -> ListEdits {
        let (a, b) = (lists[0], lists[1])
        let shorter = min(a.count, b.count)
        let step = 4096
        // Equal beginnings and ends need not be held.
        var head = 0
        scan: while head < shorter {
            let end = min(shorter, head + step)
            let (x, y) = (try a.digests(head..<end), try b.digests(head..<end))
            for index in x.indices where x[index] != y[index] {
                head += index
                break scan
            }
            head = end
        }
        var tail = 0
        scan: while tail < shorter - head {
            let end = min(shorter - head, tail + step)
            let x = try a.digests(a.count - end..<a.count - tail)
            let y = try b.digests(b.count - end..<b.count - tail)
            for index in x.indices.reversed() where x[index] != y[index] {
                tail += x.count - 1 - index
                break scan
            }
            tail = end
        }
        let middle = (a: head..<a.count - tail, b: head..<b.count - tail)
        var edits = ListEdits()
        edits.counts = (a.count, b.count)
        if middle.a.isEmpty && middle.b.isEmpty { return edits }
        guard !middle.a.isEmpty, !middle.b.isEmpty, middle.a.count + middle.b.count <= maxMiddleCount else {
            edits.hunks = [EditScript.Hunk(a: middle.a, b: middle.b)]
            edits.isMinimal = middle.a.isEmpty || middle.b.isEmpty
            return edits
        }
        var ids: [Digest128: Int32] = [:]
        func number(_ digest: Digest128) -> Int32 {
            if let id = ids[digest] { return id }
            let id = Int32(ids.count)
            ids[digest] = id
            return id
        }
        let script = EditScript(try a.digests(middle.a).map(number), try b.digests(middle.b).map(number))
        edits.isMinimal = script.isMinimal
        edits.hunks = script.hunks.map {
            EditScript.Hunk(
                a: $0.a.lowerBound + head..<$0.a.upperBound + head,
                b: $0.b.lowerBound + head..<$0.b.upperBound + head)
        }
        return edits
    }
}

/// Which elements of a list go and come.
public struct ListEdits: Sendable {
    var hunks: [EditScript.Hunk] = []
    /// Elements of A and of B.
    public fileprivate(set) var counts = (a: 0, b: 0)
    public fileprivate(set) var isMinimal = true

    init() {}

    public var isEmpty: Bool { hunks.isEmpty }

    /// Runs of elements, ascending: those of A go, those of B come in their place.
    public var runs: [(a: Range<Int>, b: Range<Int>)] { hunks.map { ($0.a, $0.b) } }
}

/// Second pass over both lists: the texts of what goes and comes. The first of a run that goes and the first that comes
/// in its place are told as one change, and so on.
///
/// A path is `section, run, place in the run`.
public struct ListTexts: ValueVisitor, ~Copyable {
    private let edits: ListEdits
    private let longTexts: SpillFile
    private let digestKey: Digest128
    private var sorter: RecordSorter
    public private(set) var failure: SpillError?

    private var side = Side.a
    private var index = 0
    private var run = 0
    private var path = OutputBuffer(capacity: 32)
    private var payload = OutputBuffer(capacity: 256)
    // Of a long text.
    private var isWanted = false
    private var start: UInt64 = 0
    private var hash: SipHash

    public init(_ edits: ListEdits, memory: Int, longTexts: SpillFile, digestKey: Digest128) {
        self.edits = edits
        self.longTexts = longTexts
        self.digestKey = digestKey
        sorter = RecordSorter(memory: memory)
        hash = SipHash(key: digestKey)
    }

    public mutating func begin(_ side: Side) {
        self.side = side
        index = 0
        run = 0
    }

    public consuming func finish() -> ValueChanges {
        let isCoarse = !edits.isMinimal
        let counts = edits.counts
        return ValueChanges(sorter, longTexts: longTexts, isCoarse: isCoarse, listCounts: counts)
    }

    /// Whether the next element is one of the texts; then its record is begun.
    private mutating func begin() -> Bool {
        defer { index += 1 }
        while run < edits.hunks.count {
            let range = side == .a ? edits.hunks[run].a : edits.hunks[run].b
            if index < range.lowerBound { return false }
            if index < range.upperBound {
                path.truncate(to: 0)
                path.append(ElementSection.listElement.rawValue)
                ElementCoder.append(bigEndian: UInt64(run), to: &path)
                ElementCoder.append(bigEndian: UInt64(index - range.lowerBound), to: &path)
                payload.truncate(to: 0)
                payload.shrink(to: 4 << 20)
                payload.append(UInt8(side.rawValue))
                payload.append(littleEndian: UInt64(index))
                return true
            }
            run += 1
        }
        return false
    }

    private mutating func emit() {
        if failure != nil { return }
        do throws(SpillError) { try sorter.append(key: path, payload: payload) } catch { failure = error }
    }

    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        guard begin() else { return }
        payload.append(littleEndian: UInt32(bytes.byteCount))
        payload.append(bytes)
        emit()
    }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        guard begin() else { return }
        payload.append(littleEndian: UInt32(Digits.byteCount(value)))
        payload.append(decimal: value)
        emit()
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        isWanted = begin()
        start = longTexts.byteCount
        hash = SipHash(key: digestKey)
    }

    public mutating func largeTextChunk(_ bytes: RawSpan) {
        guard isWanted, failure == nil else { return }
        hash.append(bytes)
        do throws(SpillError) { try longTexts.append(bytes) } catch { failure = error }
    }

    public mutating func endLargeText(as role: TextRole) {
        guard isWanted else { return }
        ElementCoder.append(.inFile(longTexts, start..<longTexts.byteCount, hash.finish()), to: &payload)
        emit()
    }
}
