import NIOCore
import RDBKit

/// Reads entries back from the target and compares them with the input, a batch of keys at a time.
///
/// Memory: a batch's payloads, up to `ReadBack.maxPayloadByteCount`. Larger values are compared by type and number of
/// elements only.
struct VerifyConsumer: EntryConsumer, ~Copyable {
    private struct Expected {
        var header: EntryHeader
        var key: [UInt8]
        var digest: Digest128
        /// Of a value too large to be read back whole.
        var elementCount: UInt64?
    }

    private let target: RestoreTarget
    private let plan: RestorePlan
    private let readBack: ReadBack
    private let keepsExpired: Bool
    private let report: (RestoreFailure) -> Void
    private var rewriter: EntryRewriter
    private var digest: EntryDigest
    private var batches: [ServerAddress: [Expected]] = [:]
    private var batchByteCount: UInt64 = 0
    private var batchCount = 0
    private(set) var same: UInt64 = 0
    private(set) var differing: UInt64 = 0
    private(set) var failure: ServerError?

    private static let maxBatchCount = 256
    private static let maxBatchByteCount: UInt64 = 4 << 20

    init(
        _ target: RestoreTarget, _ plan: RestorePlan, _ options: RestoreOptions,
        _ report: @escaping (RestoreFailure) -> Void
    ) throws(RegexPattern.SyntaxError) {
        self.target = target
        self.plan = plan
        self.report = report
        readBack = ReadBack(target, plan)
        keepsExpired = options.keepsExpired
        rewriter = try EntryRewriter(options.changes)
        digest = EntryDigest(plan.comparedParts)
    }

    var isDone: Bool { failure != nil }

    mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        let header = rewriter.rewrite(reader.header)
        // What was over when the restore began was not sent.
        if let expiresAt = header.expiresAt, expiresAt <= plan.now { return try reader.skipValue() }
        let key = rewriter.changes.renames ? rewriter.rename(reader.key).array : reader.copyKey()
        digest.begin(header, key: key.rawSpan)
        try reader.readValue(into: &digest)
        var expected = Expected(header: header, key: key, digest: digest.finish())
        let byteCount = reader.offset - header.valueOffset
        if byteCount > ReadBack.maxPayloadByteCount {
            try reader.rewindToValue()
            var counter = CountingVisitor()
            try reader.readValue(into: &counter)
            expected.elementCount = counter.count
        }
        guard let server = target.owner(ofSlot: HashSlot.of(key.rawSpan)) else {
            return differs(expected, "no server owns the key's slot")
        }
        batches[server, default: []].append(expected)
        batchCount += 1
        batchByteCount += byteCount
        if batchCount >= Self.maxBatchCount || batchByteCount >= Self.maxBatchByteCount { flush() }
    }

    /// Compares what was collected.
    mutating func flush() {
        for (server, batch) in batches {
            do throws(ServerError) {
                try compare(batch, at: server)
            } catch { failure = failure ?? error }
        }
        batches = [:]
        batchCount = 0
        batchByteCount = 0
    }

    private mutating func compare(_ batch: [Expected], at server: ServerAddress) throws(ServerError) {
        var bytes = ByteBuffer()
        var commandCount = 0
        // Where the replies of each key begin.
        var places: [Int] = []
        var database: UInt64?
        for expected in batch {
            if expected.header.database != database, !target.isCluster || expected.header.database != 0 {
                bytes.writeCommand("SELECT", String(expected.header.database))
                commandCount += 1
            }
            database = expected.header.database
            places.append(commandCount)
            if expected.elementCount == nil {
                readBack.append(expected.key, to: &bytes)
            } else {
                bytes.writeCommand([Array("TYPE".utf8), expected.key])
                bytes.writeCommand([Array(Self.counting(expected.header.type).utf8), expected.key])
            }
            commandCount += 2
        }
        let replies = try target.exchange(server, bytes, commandCount: commandCount)
        let now = currentMilliseconds()
        for (expected, place) in zip(batch, places) {
            let (first, second) = (replies[place], replies[place + 1])
            let isSame: Bool
            if let count = expected.elementCount {
                // A string's one element has a length of its own.
                isSame =
                    first.text == expected.header.type.name
                    && (expected.header.type == .string || second.integer == Int64(clamping: count))
            } else {
                isSame = readBack.isSame(
                    first, second, expected.key, expected.header, expected.digest, now: now)
            }
            if isSame { same += 1 } else { differs(expected, Self.words(first, second)) }
        }
    }

    private static func counting(_ type: ValueType) -> String {
        switch type {
        case .list: "LLEN"
        case .set: "SCARD"
        case .zset: "ZCARD"
        case .hash: "HLEN"
        case .stream: "XLEN"
        default: "STRLEN"
        }
    }

    private static func words(_ first: RESPReply, _ second: RESPReply) -> String {
        if let text = first.errorText ?? second.errorText { return text }
        return first.isNull ? "the key is not there" : "the key holds something else, or expires at another time"
    }

    private mutating func differs(_ expected: Expected, _ words: String) {
        differing += 1
        report(
            RestoreFailure(
                database: expected.header.database, key: expected.key, type: expected.header.type,
                offset: expected.header.startOffset, reason: .differs, message: words))
    }
}
