import RDBKit

/// Reads entries back from the target and compares them with the input, a batch of keys at a time.
///
/// Memory: a batch's payloads, up to `ReadBack.maxPayloadByteCount`. Of larger values only size and expiry are compared.
struct VerifyConsumer: EntryConsumer, ~Copyable {
    private let target: RestoreTarget
    private let plan: RestorePlan
    private let readBack: ReadBack
    private let patience: Int64
    private let report: (RestoreFailure) -> Void
    private var rewriter: EntryRewriter
    private var digest: EntryDigest
    private var batch: [ReadBack.Expected] = []
    private var batchByteCount: UInt64 = 0
    private(set) var same: UInt64 = 0
    private(set) var differing: UInt64 = 0
    private(set) var failure: ServerError?

    private static let maxBatchByteCount: UInt64 = 4 << 20

    init(
        _ target: RestoreTarget, _ plan: RestorePlan, _ options: RestoreOptions,
        _ report: @escaping (RestoreFailure) -> Void
    ) throws(RegexPattern.SyntaxError) {
        self.target = target
        self.plan = plan
        self.report = report
        readBack = ReadBack(target, plan)
        patience = options.patienceMilliseconds
        rewriter = try EntryRewriter(options.changes)
        digest = EntryDigest(plan.comparedParts)
    }

    var isDone: Bool { failure != nil }

    mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let header = rewriter.rewrite(reader.header)
        // What was over when the restore began was not sent, or is gone.
        if let expiresAt = header.expiresAt, expiresAt <= plan.now { return try reader.skipValue() }
        let key = rewriter.changes.renames ? rewriter.rename(reader.key).array : reader.copyKey()
        digest.fieldsExpireAfter = plan.comparedFieldExpiry
        digest.begin(header, key: key.rawSpan)
        try reader.readValue(into: &digest)
        var expected = ReadBack.Expected(header: header, key: key, digest: digest.finish())
        let byteCount = reader.offset - header.valueOffset
        if byteCount > ReadBack.maxPayloadByteCount {
            try reader.rewindToValue()
            expected.size = try SizeVisitor.size(of: &reader)
        }
        batch.append(expected)
        batchByteCount += byteCount
        if batch.count >= ReadBack.maxBatchCount || batchByteCount >= Self.maxBatchByteCount { flush() }
    }

    /// Compares what was collected; asks again while servers are gone, busy or moving slots.
    mutating func flush() {
        var left = batch
        batch = []
        batchByteCount = 0
        let started = currentMilliseconds()
        while failure == nil {
            var again: [ReadBack.Expected] = []
            var words = "no server owns a key's slot"
            let byServer = Dictionary(grouping: left) { target.owner(ofSlot: HashSlot.of($0.key.rawSpan)) }
            for (server, batch) in byServer {
                guard let server else {
                    again += batch
                    continue
                }
                for (expected, match) in zip(batch, readBack.compare(batch, at: server)) {
                    switch match {
                    case .same: same += 1
                    case .other(let words): differs(expected, words)
                    case .unknown(let why):
                        again.append(expected)
                        words = why
                    }
                }
            }
            if again.isEmpty { return }
            let now = currentMilliseconds()
            if Interrupt.isRequested {
                failure = .interrupted
            } else if now - started > patience {
                failure = ServerError(.timeout, "cannot read back: \(words)")
            } else {
                target.refreshTopology(now: now)
                _ = target.events.wait(milliseconds: 100)
            }
            left = again
        }
    }

    private mutating func differs(_ expected: ReadBack.Expected, _ words: String) {
        differing += 1
        report(
            RestoreFailure(
                database: expected.header.database, key: expected.key, type: expected.header.type,
                offset: expected.header.startOffset, reason: .differs, message: words))
    }
}

/// The bytes of a string.
struct SizeVisitor: ValueVisitor, ~Copyable {
    private var byteCount: UInt64 = 0

    /// What the server tells of a value's size: its elements, of a string its bytes, of others that they are there.
    static func size(of reader: inout RDBReader) throws(DecodeError) -> UInt64 {
        switch reader.header.type {
        case .string, .hll:
            var visitor = SizeVisitor()
            try reader.readValue(into: &visitor)
            return visitor.byteCount
        case .list, .set, .zset, .hash, .stream:
            var counter = CountingVisitor()
            try reader.readValue(into: &counter)
            return counter.count
        default:
            try reader.skipValue()
            return 1
        }
    }

    mutating func text(_ bytes: RawSpan, as role: TextRole) { byteCount += UInt64(bytes.byteCount) }
    mutating func integer(_ value: Int64, as role: TextRole) { byteCount += UInt64(Digits.byteCount(value)) }
    mutating func largeTextChunk(_ bytes: RawSpan) { byteCount += UInt64(bytes.byteCount) }
}
