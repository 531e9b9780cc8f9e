import RDBKit

/// Reads entries back from the target and compares them with the input, a batch of keys at a time.
///
/// Memory: a batch's payloads, up to `ReadBack.maxPayloadByteCount`. Larger values are compared a slice at a time.
///
/// To be read is to be used: servers before 7.2 count it in the keys' idle times and frequencies, later ones are told not
/// to.
struct VerifyConsumer: EntryConsumer, ~Copyable {
    private let target: RestoreTarget
    private let plan: RestorePlan
    private let readBack: ReadBack
    private let patience: Int64
    private let report: (RestoreFailure) -> Void
    private var rewriter: EntryRewriter
    private var digest: ComparedDigest
    private var batch: [ReadBack.Expected] = []
    private var batchByteCount: UInt64 = 0
    private(set) var same: UInt64 = 0
    private(set) var differing: UInt64 = 0
    /// What is there, but of which no more than that is known: elements too long, values of modules.
    private(set) var uncompared: UInt64 = 0
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
        digest = ComparedDigest(plan)
    }

    var isDone: Bool { failure != nil }

    mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let header = rewriter.rewrite(reader.header)
        // What was over when the restore began was not sent, or is gone.
        if let expiresAt = header.expiresAt, expiresAt <= plan.now { return try reader.skipValue() }
        let key = rewriter.renames ? rewriter.rename(reader.key).array : reader.copyKey()
        var expected = ReadBack.Expected(
            header: header, key: key, digest: try digest.digest(&reader, header, key: key.rawSpan))
        let byteCount = reader.offset - reader.header.valueOffset
        if byteCount > ReadBack.maxPayloadByteCount {
            try reader.rewindToValue()
            expected.size = try SizeVisitor.size(of: &reader)
            return try compareLarge(&reader, expected)
        }
        batch.append(expected)
        batchByteCount += byteCount
        if batch.count >= ReadBack.maxBatchCount || batchByteCount >= Self.maxBatchByteCount { flush() }
    }

    private mutating func compareLarge(_ reader: inout RDBReader, _ expected: ReadBack.Expected) throws(DecodeError) {
        try reader.rewindToValue()
        let match = try readBack.compareLarge(
            &reader, expected, patienceMilliseconds: patience, uncompared: &uncompared)
        switch match {
        case .same: same += 1
        case .other(let words): differs(expected, words)
        case .unknown(let words):
            failure = Interrupt.isRequested ? .interrupted : ServerError(.timeout, words)
        }
    }

    /// Compares what was collected; asks again while servers are gone, busy or moving slots.
    mutating func flush() {
        var left = batch
        batch = []
        batchByteCount = 0
        var started = currentMilliseconds()
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
            if again.count < left.count { started = now }
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
