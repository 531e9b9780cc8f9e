import NIOCore
import RDBKit

/// What the target holds at a key, held against what it should.
struct ReadBack {
    private let target: RestoreTarget
    private let plan: RestorePlan
    /// Values up to this are asked for as payloads, which come in one piece; larger ones a slice at a time.
    static let maxPayloadByteCount: UInt64 = 8 << 20
    /// Keys that are asked for at once.
    static let maxBatchCount = 64
    /// Servers before 7.0 tell only the time left.
    private static let expiryTolerance: Int64 = 2000

    init(_ target: RestoreTarget, _ plan: RestorePlan) {
        self.target = target
        self.plan = plan
    }

    init(_ engine: RestoreEngine) { self.init(engine.target, engine.plan) }

    // MARK: - What should be there

    func digest(_ header: EntryHeader, _ version: RDBVersion, key: [UInt8], value: RawSpan) -> Digest128? {
        guard let type = RDBType(byte: header.typeByte, version: version) else { return nil }
        return RDBReader.withEntry(header, type, of: version, key: key.rawSpan, value: value) { reader in
            var digest = ComparedDigest(plan)
            return try? digest.digest(&reader, reader.header, key: key.rawSpan)
        }
    }

    func digest(string value: RawSpan, _ header: EntryHeader, key: [UInt8]) -> Digest128 {
        var digest = ComparedDigest(plan)
        return digest.digest(string: value, header, key: key.rawSpan)
    }

    /// An entry as it should be at the target.
    struct Expected {
        var header: EntryHeader
        var key: [UInt8]
        var digest: Digest128
        /// Of a value too large to be read back whole: its elements, of a string its bytes.
        var size: UInt64?
    }

    enum Match: Equatable {
        case same
        case other(String)
        /// The server could not be asked; it may be later.
        case unknown(String)
    }

    /// Whether the same may be answered a moment later.
    static func isPassing(_ error: ServerError) -> Bool {
        if case .refused(let words) = error.code, case .later = Verdict.ofError(words, .set) { return true }
        return error.isOfConnection
    }

    // MARK: - What is there

    /// Looks at some keys of one server, which should be no more than `maxBatchCount`.
    /// - Returns: one answer for each; of those with a size, whether that is right.
    func compare(_ batch: [Expected], at server: ServerAddress) -> [Match] {
        var matches: [Match] = []
        var rest = batch[...]
        while let database = rest.first?.header.database {
            let some = rest.prefix { $0.header.database == database }
            rest = rest.dropFirst(some.count)
            matches += compare(Array(some), in: database, at: server, isAsking: false)
        }
        return matches
    }

    private func compare(
        _ batch: [Expected], in database: UInt64, at server: ServerAddress, isAsking: Bool
    ) -> [Match] {
        let commands = batch.flatMap { questions($0) }
        do throws(ServerError) {
            let replies = try target.exchange(server, database: database, commands, isAsking: isAsking)
            let now = currentMilliseconds()
            return batch.enumerated().map { index, expected in
                let (value, time) = (replies[2 * index], replies[2 * index + 1])
                if !isAsking, let text = value.errorText ?? time.errorText,
                    let redirection = ClusterRedirection(errorText: text, asked: server), redirection.kind == .ask
                {
                    // The key is where its slot is going to.
                    return compare([expected], in: database, at: redirection.address, isAsking: true)[0]
                }
                return match(expected, value, time, now: now, server)
            }
        } catch {
            let isUnknown = Self.isPassing(error) || error.code == .interrupted
            return batch.map { _ in isUnknown ? .unknown(error.message) : .other(error.message) }
        }
    }

    /// What asks for the value, or for its size where that is enough, and what asks for its expiry.
    private func questions(_ expected: Expected) -> [ByteBuffer] {
        let word = expected.size == nil ? "DUMP" : Self.sizing(expected.header.type)
        return [word, plan.target.tellsExpiryTime ? "PEXPIRETIME" : "PTTL"].map {
            var bytes = ByteBuffer()
            bytes.writeCommand([Array($0.utf8), expected.key])
            return bytes
        }
    }

    /// Compares a value that was found too large to be read back whole: its size and expiry first, then every element.
    /// - Parameters:
    ///   - reader: stands at the value, and behind it afterwards.
    ///   - uncompared: goes up by what is there, but of which no server tells more than that.
    func compareLarge(
        _ reader: inout RDBReader, _ expected: Expected, patienceMilliseconds: Int64, uncompared: inout UInt64
    ) throws(DecodeError) -> Match {
        let header = expected.header
        let questions = KeyQuestions(
            target, key: expected.key, database: header.database, patienceMilliseconds: patienceMilliseconds)
        guard let replies = questions.ask(self.questions(expected)) else {
            try reader.skipValue()
            return .unknown(questions.failure?.message ?? "")
        }
        let outer = match(expected, replies[0], replies[1], now: currentMilliseconds(), nil)
        guard outer == .same, !isGone(expected, replies[0], replies[1]) else {
            try reader.skipValue()
            return outer
        }
        guard ElementComparison.compares(header.type) else {
            try reader.skipValue()
            uncompared += 1
            return .same
        }
        var comparison = ElementComparison(questions, plan, header, key: expected.key)
        try reader.readValue(into: &comparison)
        comparison.finish()
        if let failure = questions.failure { return .unknown(failure.message) }
        if let difference = comparison.difference { return .other("the key holds something else: \(difference)") }
        uncompared += comparison.uncomparedCount
        return .same
    }

    private func isGone(_ expected: Expected, _ value: RESPReply, _ time: RESPReply) -> Bool {
        value.isNull || expected.size != nil && time.integer == -2
    }

    private func match(
        _ expected: Expected, _ value: RESPReply, _ time: RESPReply, now: Int64, _ server: ServerAddress?
    ) -> Match {
        let header = expected.header
        if let text = value.errorText ?? time.errorText {
            switch Verdict.ofError(text, .restore) {
            case .moved:
                if let server { target.note(redirection: text, from: server) }
                return .unknown(text)
            case .later, .ask: return .unknown(text)
            default: return .other(text.hasPrefix("WRONGTYPE") ? "the key holds another type" : text)
            }
        }
        if isGone(expected, value, time) {
            return mayBeGone(expected, now) ? .same : .other("the key is not there")
        }
        guard let time = time.integer, isSame(time, header.expiresAt, now) else {
            return .other("the key expires at another time")
        }
        let isSame: Bool
        if let size = expected.size {
            // Fields may have expired since.
            let found = value.integer ?? -1
            isSame = found == Int64(clamping: size) || header.hasFieldExpiries && found < Int64(clamping: size)
        } else {
            isSame = value.bytes.flatMap { digest(ofPayload: $0, header, expected.key) } == expected.digest
        }
        return isSame ? .same : .other("the key holds something else")
    }

    /// Whether the key should be gone by now: with its own expiry, or that of all its fields.
    private func mayBeGone(_ expected: Expected, _ now: Int64) -> Bool {
        if let expiresAt = expected.header.expiresAt, expiresAt <= now { return true }
        guard expected.header.hasFieldExpiries else { return false }
        var none = ComparedDigest(plan)
        return none.digestOfNothing(expected.header, key: expected.key.rawSpan) == expected.digest
    }

    /// What tells the size of a value.
    private static func sizing(_ type: ValueType) -> String {
        switch type {
        case .list: "LLEN"
        case .set: "SCARD"
        case .zset: "ZCARD"
        case .hash: "HLEN"
        case .stream: "XLEN"
        case .string, .hll: "STRLEN"
        default: "EXISTS"
        }
    }

    private func isSame(_ time: Int64, _ expiresAt: Int64?, _ now: Int64) -> Bool {
        guard let expiresAt else { return time < 0 }
        if plan.target.tellsExpiryTime { return time == expiresAt }
        return time >= 0 && abs(now + time - expiresAt) <= Self.expiryTolerance
    }

    private func digest(ofPayload bytes: [UInt8], _ header: EntryHeader, _ key: [UInt8]) -> Digest128? {
        let footer = RDBReader.payloadFooterByteCount
        guard bytes.count > footer else { return nil }
        let number = Int(bytes[bytes.count - footer]) | Int(bytes[bytes.count - footer + 1]) << 8
        let family: RDBFamily = number >= 80 || plan.target.family == .valkey ? .valkey : .redis
        var header = header
        header.typeByte = bytes[0]
        return digest(
            header, RDBVersion(number: max(1, number), family: family), key: key,
            value: bytes.rawSpan.extracting(1..<bytes.count - footer))
    }
}
