import NIOCore
import RDBKit

/// What the target holds at a key, held against what it should.
struct ReadBack {
    private let target: RestoreTarget
    private let plan: RestorePlan
    /// Values are asked for as payloads, which come in one piece.
    static let maxPayloadByteCount: UInt64 = 32 << 20
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

    // MARK: - What is there

    /// Whether the target holds this data with this expiry. An entry whose time has come since may be gone.
    func holds(_ key: [UInt8], _ header: EntryHeader, _ digest: Digest128) -> Bool {
        guard let server = target.owner(ofSlot: HashSlot.of(key.rawSpan)) else { return false }
        var bytes = ByteBuffer()
        var count = 2
        if !target.isCluster || header.database != 0 {
            bytes.writeCommand("SELECT", String(header.database))
            count += 1
        }
        append(key, to: &bytes)
        do throws(ServerError) {
            let replies = try target.control(server).exchange(bytes, commandCount: count)
            return isSame(replies[count - 2], replies[count - 1], key, header, digest, now: currentMilliseconds())
        } catch { return false }
    }

    /// The two questions about one key.
    func append(_ key: [UInt8], to bytes: inout ByteBuffer) {
        bytes.writeCommand([Array("DUMP".utf8), key])
        bytes.writeCommand([Array((plan.target.tellsExpiryTime ? "PEXPIRETIME" : "PTTL").utf8), key])
    }

    func isSame(
        _ payload: RESPReply, _ time: RESPReply, _ key: [UInt8], _ header: EntryHeader, _ digest: Digest128, now: Int64
    ) -> Bool {
        guard case .bulk(let bytes) = payload else {
            // Gone, as it should be by now.
            return payload.isNull && header.expiresAt.map { $0 <= now } ?? false
        }
        guard let time = time.integer, isSame(time, header.expiresAt, now) else { return false }
        return self.digest(ofPayload: bytes, header, key) == digest
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
