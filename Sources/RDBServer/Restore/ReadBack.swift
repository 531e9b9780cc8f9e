import NIOCore
import RDBKit

/// What the target holds at a key, held against what it should.
struct ReadBack {
    private let target: RestoreTarget
    private let plan: RestorePlan
    /// Values are asked for as payloads, which come in one piece.
    static let maxPayloadByteCount: UInt64 = 32 << 20
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
        var batch = EntryBatch()
        batch.append(header, type, key: key.rawSpan, value: value)
        var reader = RDBReader(of: version)
        batch.place(&reader, at: 0)
        var digest = EntryDigest(plan.comparedParts)
        digest.fieldsExpireAfter = plan.comparedFieldExpiry
        digest.begin(reader.header, key: key.rawSpan)
        do throws(DecodeError) { try reader.readValue(into: &digest) } catch { return nil }
        return digest.finish()
    }

    func digest(string value: RawSpan, _ header: EntryHeader, key: [UInt8]) -> Digest128 {
        var digest = EntryDigest(plan.comparedParts)
        digest.begin(header, key: key.rawSpan)
        digest.text(value, as: .string)
        return digest.finish()
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

    // MARK: - What is there

    /// Looks at some keys of one server, which should be no more than `maxBatchCount`.
    /// - Returns: one answer for each.
    func compare(_ batch: [Expected], at server: ServerAddress) -> [Match] {
        var matches: [Match] = []
        var rest = batch[...]
        while let database = rest.first?.header.database {
            let some = rest.prefix { $0.header.database == database }
            rest = rest.dropFirst(some.count)
            matches += compare(Array(some), in: database, at: server)
        }
        return matches
    }

    private func compare(_ batch: [Expected], in database: UInt64, at server: ServerAddress) -> [Match] {
        var bytes = ByteBuffer()
        for expected in batch {
            if expected.size == nil {
                bytes.writeCommand([Array("DUMP".utf8), expected.key])
            } else {
                bytes.writeCommand([Array(Self.sizing(expected.header.type).utf8), expected.key])
            }
            bytes.writeCommand([Array((plan.target.tellsExpiryTime ? "PEXPIRETIME" : "PTTL").utf8), expected.key])
        }
        do throws(ServerError) {
            let replies = try target.exchange(
                server, database: database, bytes, commandCount: 2 * batch.count)
            let now = currentMilliseconds()
            return batch.enumerated().map { index, expected in
                match(expected, replies[2 * index], replies[2 * index + 1], now: now, server)
            }
        } catch {
            var isUnknown = error.isOfConnection || error.code == .interrupted
            if case .refused(let words) = error.code, case .later = Verdict.ofError(words, .set) { isUnknown = true }
            return batch.map { _ in isUnknown ? .unknown(error.message) : .other(error.message) }
        }
    }

    private func match(
        _ expected: Expected, _ value: RESPReply, _ time: RESPReply, now: Int64, _ server: ServerAddress
    ) -> Match {
        let header = expected.header
        if let text = value.errorText ?? time.errorText {
            switch Verdict.ofError(text, .restore) {
            case .moved:
                target.note(redirection: text, from: server)
                return .unknown(text)
            case .later, .ask: return .unknown(text)
            default: return .other(text.hasPrefix("WRONGTYPE") ? "the key holds another type" : text)
            }
        }
        if value.isNull || expected.size != nil && time.integer == -2 {
            if isGone(expected, now) { return .same }
            return .other("the key is not there")
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
    private func isGone(_ expected: Expected, _ now: Int64) -> Bool {
        if let expiresAt = expected.header.expiresAt, expiresAt <= now { return true }
        guard expected.header.hasFieldExpiries else { return false }
        var none = EntryDigest(plan.comparedParts)
        none.begin(expected.header, key: expected.key.rawSpan)
        return none.finish() == expected.digest
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
