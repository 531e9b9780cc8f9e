import Glibc
import NIOCore
import RDBKit

/// Compares a value with what the target holds, a slice of elements at a time: for values that are too large to be read
/// back in one piece. The server is asked for the elements that the file has, so that with the same number of them on
/// both sides every one is compared.
///
/// | type | asks |
/// | --- | --- |
/// | string | GETRANGE |
/// | list | LRANGE |
/// | set, zset | SMISMEMBER, ZMSCORE |
/// | hash | HMGET, HPEXPIRETIME where the target knows it |
/// | stream | XRANGE; XINFO STREAM, GROUPS and CONSUMERS, XPENDING |
///
/// Memory: a slice and its answers, each of `sliceByteCount` and one element of up to `maxElementByteCount`.
struct ElementComparison: ValueVisitor, ~Copyable {
    static let sliceByteCount = 256 << 10
    static let sliceElementCount = 1000
    /// Of longer elements it is only known that they are there.
    static let maxElementByteCount: UInt64 = 16 << 20

    let questions: KeyQuestions
    let plan: RestorePlan
    let header: EntryHeader
    let key: [UInt8]
    /// The first one that was found; nothing is asked any more then.
    private(set) var difference: String?
    /// Elements that were not compared but for their presence.
    private(set) var uncomparedCount: UInt64 = 0

    /// Hash fields that expire before may be gone.
    private let fieldsExpireAfter: Int64
    var texts = OutputBuffer(capacity: 64 << 10)
    /// Of each text of the slice, in `texts`; nil for one that was too long.
    var ranges: [Range<Int>?] = []
    private var textStart = 0
    private var isTooLong = false
    private var scores: [Double] = []
    private var fieldExpiries: [Int64?] = []
    /// Elements, of a string bytes, before the slice.
    private var doneCount = 0

    /// Of streams.
    var stream = StreamSlice()

    static func compares(_ type: ValueType) -> Bool {
        switch type {
        case .string, .hll, .list, .set, .zset, .hash, .stream: true
        default: false
        }
    }

    init(_ questions: KeyQuestions, _ plan: RestorePlan, _ header: EntryHeader, key: [UInt8]) {
        self.questions = questions
        self.plan = plan
        self.header = header
        self.key = key
        fieldsExpireAfter = plan.comparedFieldExpiry
    }

    var isDone: Bool { difference != nil || questions.failure != nil }

    mutating func differs(_ words: String) {
        if difference == nil { difference = words }
    }

    mutating func markUncompared() { uncomparedCount += 1 }

    /// Compares what is left.
    mutating func finish() {
        if isDone { return }
        if header.type == .stream { finishStream() } else { compareSlice() }
    }

    // MARK: - Texts

    mutating func text(_ bytes: RawSpan, as role: TextRole) {
        if isDone { return }
        textStart = texts.byteCount
        texts.append(bytes)
        endText(role)
    }

    mutating func integer(_ value: Int64, as role: TextRole) {
        if isDone { return }
        textStart = texts.byteCount
        texts.append(decimal: value)
        endText(role)
    }

    mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        textStart = texts.byteCount
        isTooLong = role != .string && byteCount > Self.maxElementByteCount
    }

    mutating func largeTextChunk(_ bytes: RawSpan) {
        if isDone || isTooLong { return }
        texts.append(bytes)
        if header.type == .string || header.type == .hll, texts.byteCount >= Self.sliceByteCount { compareString() }
    }

    mutating func endLargeText(as role: TextRole) {
        if !isDone { endText(role) }
        isTooLong = false
    }

    private mutating func endText(_ role: TextRole) {
        switch role {
        case .string: return compareString()
        case .groupName: return beginGroup(texts.bytes.extracting(droppingFirst: textStart).array)
        case .consumerName: return beginConsumer(texts.bytes.extracting(droppingFirst: textStart).array)
        case .producerID, .producerEntryID: return texts.truncate(to: textStart)
        default: break
        }
        if isTooLong { uncomparedCount += 1 }
        ranges.append(isTooLong ? nil : textStart..<texts.byteCount)
        switch role {
        case .element: compareSliceIfFull()
        case .member where header.type == .set: compareSliceIfFull()
        case .fieldValue where !header.hasFieldExpiries: compareSliceIfFull()
        default: break
        }
    }

    mutating func score(_ value: Double) {
        if isDone { return }
        scores.append(value)
        compareSliceIfFull()
    }

    mutating func fieldExpiry(_ expiresAt: Int64?) {
        if isDone { return }
        fieldExpiries.append(expiresAt)
        compareSliceIfFull()
    }

    var isFull: Bool { texts.byteCount >= Self.sliceByteCount || ranges.count >= Self.sliceElementCount }

    private mutating func compareSliceIfFull() {
        if isFull { compareSlice() }
    }

    private mutating func compareSlice() {
        if ranges.isEmpty { return }
        switch header.type {
        case .list: compareList()
        case .set: compareSet()
        case .zset: compareSortedSet()
        case .hash: compareHash()
        default: break
        }
        endSlice()
    }

    mutating func endSlice() {
        ranges.removeAll(keepingCapacity: true)
        scores.removeAll(keepingCapacity: true)
        fieldExpiries.removeAll(keepingCapacity: true)
        texts.truncate(to: 0)
        texts.shrink(to: 1 << 20)
    }

    // MARK: - Questions

    /// A command about the key: its name, what stands before and behind the elements that are named, and which these are.
    func command(
        _ name: StaticString, _ before: [String] = [], elements: [Range<Int>] = [], _ after: [String] = []
    ) -> ByteBuffer {
        var out = OutputBuffer(capacity: 256)
        out.beginCommand(2 + before.count + elements.count + after.count)
        out.appendArgument(name)
        out.appendArgument(key.rawSpan)
        for word in before { out.appendArgument(word) }
        for range in elements { out.appendArgument(texts.bytes.extracting(range)) }
        for word in after { out.appendArgument(word) }
        return ByteBuffer(out.bytes)
    }

    /// The replies, none of which is an error; nil where there is nothing more to compare.
    mutating func ask(_ commands: [ByteBuffer]) -> [RESPReply]? {
        guard let replies = questions.ask(commands) else { return nil }
        if let text = replies.lazy.compactMap(\.errorText).first {
            differs(text.hasPrefix("WRONGTYPE") ? "its type is another one by now" : text)
            return nil
        }
        return replies
    }

    /// The elements of the one reply.
    mutating func elements(_ command: ByteBuffer) -> [RESPReply]? {
        guard let reply = ask([command])?.first else { return nil }
        if let elements = reply.array { return elements }
        differs("it is gone by now")
        return nil
    }

    func isSame(_ range: Range<Int>, _ reply: RESPReply) -> Bool {
        guard let found = reply.bytes else { return false }
        return texts.bytes.extracting(range).holdsSame(as: found.rawSpan)
    }

    /// An element of the file as people read it, the beginning of a long one.
    func shown(_ range: Range<Int>) -> String {
        let bytes = texts.bytes.extracting(range)
        let text = String(decoding: bytes.extracting(first: min(bytes.byteCount, 60)).array, as: UTF8.self)
        return text.debugDescription + (bytes.byteCount > 60 ? "…" : "")
    }

    // MARK: - Types

    private mutating func compareString() {
        let count = texts.byteCount
        defer { endSlice() }
        guard count > 0, let reply = ask([command("GETRANGE", ["\(doneCount)", "\(doneCount + count - 1)"])])?.first
        else { return }
        let found = reply.bytes ?? []
        if !isSame(0..<count, reply) {
            let place = texts.bytes.array.indices.first { $0 >= found.count || texts.bytes.byte(at: $0) != found[$0] }
            differs("byte \(doneCount + (place ?? count)) is another one")
        }
        doneCount += count
    }

    private mutating func compareList() {
        let last = doneCount + ranges.count - 1
        guard let found = elements(command("LRANGE", ["\(doneCount)", "\(last)"])) else { return }
        for (index, range) in ranges.enumerated() {
            guard index < found.count else { return differs("element \(doneCount + index) is missing") }
            if let range, !isSame(range, found[index]) {
                return differs("element \(doneCount + index) is another one")
            }
        }
        doneCount += ranges.count
    }

    private mutating func compareSet() {
        let members = ranges.compactMap { $0 }
        guard !members.isEmpty, let found = elements(command("SMISMEMBER", elements: members)) else { return }
        for (index, member) in members.enumerated()
        where index >= found.count || found[index].integer != 1 {
            return differs("member \(shown(member)) is missing")
        }
    }

    private mutating func compareSortedSet() {
        let members = zip(ranges, scores).compactMap { range, score in range.map { (range: $0, score: score) } }
        guard !members.isEmpty, let found = elements(command("ZMSCORE", elements: members.map(\.range))) else { return }
        for (index, member) in members.enumerated() {
            guard index < found.count, !found[index].isNull else {
                return differs("member \(shown(member.range)) is missing")
            }
            guard let score = found[index].number, score == member.score || score.isNaN && member.score.isNaN else {
                return differs("member \(shown(member.range)) has another score")
            }
        }
    }

    private mutating func compareHash() {
        var fields: [(name: Range<Int>, value: Range<Int>?, expiresAt: Int64?)] = []
        for index in stride(from: 0, to: ranges.count - 1, by: 2) {
            let expiresAt = index / 2 < fieldExpiries.count ? fieldExpiries[index / 2] : nil
            if let expiresAt, expiresAt <= fieldsExpireAfter { continue }
            if let name = ranges[index] { fields.append((name, ranges[index + 1], expiresAt)) }
        }
        if fields.isEmpty { return }
        let names = fields.map(\.name)
        let knowsExpiry = plan.target.hasFieldExpiry
        let commands =
            [command("HMGET", elements: names)]
            + (knowsExpiry ? [command("HPEXPIRETIME", ["FIELDS", "\(names.count)"], elements: names)] : [])
        guard let replies = ask(commands) else { return }
        let (values, expiries) = (replies[0].array ?? [], knowsExpiry ? replies[1].array ?? [] : [])
        for (index, field) in fields.enumerated() {
            guard index < values.count, !values[index].isNull else {
                return differs("field \(shown(field.name)) is missing")
            }
            if let value = field.value, !isSame(value, values[index]) {
                return differs("field \(shown(field.name)) has another value")
            }
            if knowsExpiry, index >= expiries.count || expiries[index].integer != field.expiresAt ?? -1 {
                return differs("field \(shown(field.name)) expires at another time")
            }
        }
    }
}

extension RESPReply {
    /// A score: RESP2 writes it as text.
    fileprivate var number: Double? {
        if case .double(let value) = self { return value }
        return text.flatMap { Double($0) }
    }
}

extension RawSpan {
    func holdsSame(as other: RawSpan) -> Bool {
        if byteCount != other.byteCount { return false }
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                // Only empty spans have no address.
                guard let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return true }
                // Both are as long as that.
                return unsafe memcmp(leftBase, rightBase, left.count) == 0
            }
        }
    }
}
