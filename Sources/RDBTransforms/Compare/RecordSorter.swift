import Glibc
public import RDBBytes

/// Sorts records of a key and a payload by the bytes of the key, in bounded memory: what does not fit is written to a
/// temporary file in sorted runs, which are merged while they are read. Records of the same key keep their order.
///
///     for … { try sorter.append(key: …, payload: …) }
///     try sorter.visit { key, payload in … }          // as often as wanted
///
/// Memory: `memory`, and the largest record. A run: `u32 key count, u32 payload count, key, payload`, for each record.
public struct RecordSorter: ~Copyable {
    private let memory: Int
    private var bytes = OutputBuffer(capacity: 4096)
    private var places: [Place] = []
    private var isSorted = true
    private var runs: [Run] = []
    public private(set) var count: UInt64 = 0

    private struct Place {
        var offset: Int
        var keyCount: UInt32
        var payloadCount: UInt32
    }

    private struct Run {
        var file: SpillFile
        var range: Range<UInt64>
    }

    /// More runs than this are merged into one before others are written.
    private static let maxRuns = 32
    private static let minReadByteCount = 16 << 10

    public init(memory: Int) { self.memory = max(64 << 10, memory) }

    public var isSpilled: Bool { !runs.isEmpty }

    public mutating func removeAll() {
        bytes.truncate(to: 0)
        bytes.shrink(to: 1 << 20)
        places.removeAll(keepingCapacity: places.count <= 64 << 10)
        isSorted = true
        runs = []
        count = 0
    }

    public mutating func append(
        key: borrowing OutputBuffer, payload: borrowing OutputBuffer
    ) throws(SpillError) {
        let size = key.byteCount + payload.byteCount
        if bytes.byteCount + size + (places.count + 1) * MemoryLayout<Place>.stride > memory, !places.isEmpty {
            try spill()
        }
        let place = Place(
            offset: bytes.byteCount, keyCount: UInt32(key.byteCount), payloadCount: UInt32(payload.byteCount))
        bytes.append(key, 0..<key.byteCount)
        bytes.append(payload, 0..<payload.byteCount)
        if isSorted, let last = places.last {
            isSorted = unsafe bytes.bytes.withUnsafeBytes { unsafe !Self.isBefore(place, last, $0) }
        }
        places.append(place)
        count += 1
    }

    /// Both places lie in the buffer, of which `bytes` are all bytes.
    @unsafe private static func isBefore(_ left: Place, _ right: Place, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let (count, other) = (Int(left.keyCount), Int(right.keyCount))
        let order = unsafe memcmp(
            bytes.baseAddress! + left.offset, bytes.baseAddress! + right.offset, min(count, other))
        return order != 0 ? order < 0 : count < other
    }

    /// As memcmp, a prefix before what it begins.
    static func compare(_ left: RawSpan, _ right: RawSpan) -> Int {
        let order = unsafe left.withUnsafeBytes { a in
            unsafe right.withUnsafeBytes { b in
                // Empty buffers may have no address, and then nothing is compared.
                let count = min(a.count, b.count)
                return count == 0 ? 0 : unsafe memcmp(a.baseAddress!, b.baseAddress!, count)
            }
        }
        return order != 0 ? Int(order) : left.byteCount - right.byteCount
    }

    private mutating func sort() {
        if isSorted { return }
        isSorted = true
        var sorted: [Place] = []
        swap(&sorted, &places)
        unsafe bytes.bytes.withUnsafeBytes { bytes in
            // Places in the buffer follow the order of arrival.
            sorted.sort { left, right in
                if unsafe Self.isBefore(left, right, bytes) { return true }
                return unsafe !Self.isBefore(right, left, bytes) && left.offset < right.offset
            }
        }
        swap(&sorted, &places)
    }

    private mutating func spill() throws(SpillError) {
        sort()
        if runs.count >= Self.maxRuns { try mergeRuns() }
        let file = runs.last?.file ?? SpillFile()
        var writer = RunWriter(file)
        for place in places {
            let end = place.offset + Int(place.keyCount)
            try writer.append(
                bytes.bytes.extracting(place.offset..<end), bytes.bytes.extracting(end..<end + Int(place.payloadCount)))
        }
        runs.append(Run(file: file, range: try writer.end()))
        bytes.truncate(to: 0)
        places.removeAll(keepingCapacity: true)
        isSorted = true
    }

    private mutating func mergeRuns() throws(SpillError) {
        var writer = RunWriter(SpillFile())
        try Self.merge(runs, memory: memory) { (key, payload) throws(SpillError) in try writer.append(key, payload) }
        runs = [Run(file: writer.file, range: try writer.end())]
    }

    /// Calls `body` with the records in order.
    public mutating func visit(
        _ body: (_ key: RawSpan, _ payload: RawSpan) throws(SpillError) -> Void
    ) throws(SpillError) {
        if runs.isEmpty {
            sort()
            for place in places {
                let end = place.offset + Int(place.keyCount)
                try body(
                    bytes.bytes.extracting(place.offset..<end),
                    bytes.bytes.extracting(end..<end + Int(place.payloadCount)))
            }
            return
        }
        if !places.isEmpty { try spill() }
        bytes.shrink(to: 64 << 10)
        try Self.merge(runs, memory: memory, body)
    }

    private static func merge(
        _ runs: [Run], memory: Int, _ body: (RawSpan, RawSpan) throws(SpillError) -> Void
    ) throws(SpillError) {
        let share = max(minReadByteCount, memory / runs.count)
        let readers = runs.map { RunReader($0.file, $0.range, readByteCount: share) }
        for reader in readers { try reader.advance() }
        while true {
            // The first of the least: earlier runs hold what came first. Runs are few.
            var least: RunReader?
            for reader in readers where !reader.isAtEnd {
                if let best = least, !reader.isBefore(best) { continue }
                least = reader
            }
            guard let least else { return }
            if Interrupt.isRequested { throw .interrupted }
            try least.hand(to: body)
            try least.advance()
        }
    }
}

private struct RunWriter: ~Copyable {
    let file: SpillFile
    private let start: UInt64
    private var out = OutputBuffer(capacity: 64 << 10)

    init(_ file: SpillFile) {
        self.file = file
        start = file.byteCount
    }

    mutating func append(_ key: RawSpan, _ payload: RawSpan) throws(SpillError) {
        out.append(littleEndian: UInt32(key.byteCount))
        out.append(littleEndian: UInt32(payload.byteCount))
        out.append(key)
        out.append(payload)
        if out.byteCount >= 128 << 10 { try flush() }
    }

    private mutating func flush() throws(SpillError) {
        try file.append(out.bytes)
        out.truncate(to: 0)
        out.shrink(to: 1 << 20)
    }

    mutating func end() throws(SpillError) -> Range<UInt64> {
        try flush()
        return start..<file.byteCount
    }
}

private final class RunReader {
    private let file: SpillFile
    private let end: UInt64
    private let readByteCount: Int
    private var next: UInt64
    private var buffer: [UInt8] = []
    /// Where the present record and what follows it begin in the buffer.
    private var keyStart = 0
    private var payloadStart = 0
    private var position = 0
    private(set) var isAtEnd = false

    init(_ file: SpillFile, _ range: Range<UInt64>, readByteCount: Int) {
        self.file = file
        next = range.lowerBound
        end = range.upperBound
        self.readByteCount = readByteCount
    }

    func isBefore(_ other: RunReader) -> Bool {
        let (bytes, others) = (buffer, other.buffer)
        return RecordSorter.compare(
            bytes.rawSpan.extracting(keyStart..<payloadStart),
            others.rawSpan.extracting(other.keyStart..<other.payloadStart)) < 0
    }

    func hand(to body: (RawSpan, RawSpan) throws(SpillError) -> Void) throws(SpillError) {
        let bytes = buffer
        try body(
            bytes.rawSpan.extracting(keyStart..<payloadStart), bytes.rawSpan.extracting(payloadStart..<position))
    }

    func advance() throws(SpillError) {
        if position == buffer.count, next == end {
            isAtEnd = true
            return
        }
        try require(8)
        let keyCount = number(at: position)
        let payloadCount = number(at: position + 4)
        try require(8 + keyCount + payloadCount)
        keyStart = position + 8
        payloadStart = keyStart + keyCount
        position = payloadStart + payloadCount
    }

    private func number(at index: Int) -> Int { (0..<4).reduce(0) { $0 | Int(buffer[index + $1]) << ($1 * 8) } }

    /// Makes so many bytes follow `position` in the buffer.
    private func require(_ count: Int) throws(SpillError) {
        if buffer.count - position >= count { return }
        buffer.removeFirst(position)
        position = 0
        let wanted = max(count - buffer.count, min(readByteCount, Int(clamping: end - next)))
        buffer += try file.bytes(next..<next + UInt64(wanted))
        next += UInt64(wanted)
    }
}
