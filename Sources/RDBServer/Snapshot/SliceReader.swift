import RDBKit

/// Reads one value in slices into a temporary file, so that no more than a slice of it is in memory.
///
/// A value whose size is another one afterwards is read again. One that never keeps still is taken as it came: what was in
/// it all the time is there, and elements of sets and hashes may stand in it twice.
struct SliceReader: ~Copyable {
    private let key: [UInt8]
    private let plan: SnapshotPlan
    private var asker: KeyAsker
    private var file = SpillFile()
    private var out = OutputBuffer(capacity: 64 << 10)
    /// Elements that are asked for at once; fewer where they are large.
    private var sliceCount = 1000

    private static let maxAttempts = 3
    private static let stringSliceByteCount: UInt64 = 4 << 20
    private static let flushByteCount = 1 << 20

    init(_ key: [UInt8], _ asker: KeyAsker, _ plan: SnapshotPlan) {
        self.key = key
        self.asker = asker
        self.plan = plan
    }

    /// - Returns: nil where the key is gone.
    /// - Throws: `refused` with `WRONGTYPE` where it holds another type; `replyTooLarge` for a stream with more pending
    ///   entries than a reply can hold.
    mutating func read(_ type: ReadableType, database: UInt64) throws(ServerError) -> SpooledValue? {
        var count: UInt64 = 0
        for attempt in 1...Self.maxAttempts {
            file = SpillFile()
            out.truncate(to: 0)
            guard let before = try size(type) else { return nil }
            count = try readElements(type, stated: before)
            try flush(all: true)
            guard let after = try size(type) else { return nil }
            if before == after && after == count || attempt == Self.maxAttempts { break }
        }
        guard let expiry = try readExpiry() else { return nil }
        if count == 0, type != .string, type != .stream { return nil }
        let header = EntryHeader(database: database, expiresAt: expiry)
        let typeByte = self.typeByte(type)
        beginning(type, count)
        defer { out.truncate(to: 0) }
        return SpooledValue(header, typeByte: typeByte, key: key, beginning: out.bytes.array, file)
    }

    // MARK: - Around the value

    /// Zero of a key that is gone is told from that of an empty value: only strings and streams can be empty.
    private mutating func size(_ type: ReadableType) throws(ServerError) -> UInt64? {
        let (replies, _) = try asker.ask(key) { [key] _ in [words(type.sizing, key), words("EXISTS", key)] }
        guard replies.count == 2, let size = replies[0].integer, size >= 0, let exists = replies[1].integer else {
            throw malformed(type.sizing)
        }
        return exists == 0 ? nil : UInt64(size)
    }

    /// - Returns: nil where the key is gone.
    private mutating func readExpiry() throws(ServerError) -> Int64?? {
        var attempt = 1
        while true {
            let (replies, plan) = try asker.ask(key) { [key] in $0.expiryCommands(key) }
            switch plan.expiry(replies[...]) {
            case .none: return .some(nil)
            case .at(let time): return .some(time)
            case .blurred(let time):
                if attempt == 10 { return .some(time) }
                attempt += 1
            case .gone: return nil
            case .malformed: throw malformed("PTTL")
            }
        }
    }

    private var streamTypeByte: UInt8 = 21

    private func typeByte(_ type: ReadableType) -> UInt8 {
        switch type {
        case .string: 0
        case .list: 1
        case .set: 2
        case .zset: 5
        case .hash: plan.hasFieldExpiry ? OutputBuffer.expiringHashTypeByte(plan.version.family) : 4
        case .stream: streamTypeByte
        }
    }

    /// Puts what stands before the elements into `out`.
    private mutating func beginning(_ type: ReadableType, _ count: UInt64) {
        switch type {
        case .string, .list, .set, .zset: out.append(length: count)
        case .hash where plan.hasFieldExpiry: out.beginExpiringHash(count: count, plan.version.family)
        case .hash: out.append(length: count)
        case .stream: out.append(length: streamNodeCount)
        }
    }

    private var streamNodeCount: UInt64 = 0

    private func malformed(_ command: String) -> ServerError {
        ServerError(.protocolViolation, "\(asker.address): an unexpected reply to \(command)")
    }

    private mutating func flush(all: Bool = false) throws(ServerError) {
        if out.byteCount < Self.flushByteCount, !all { return }
        do throws(SpillError) { try file.append(out.bytes) } catch { throw ServerError(error) }
        out.truncate(to: 0)
        out.shrink(to: Self.flushByteCount)
    }

    // MARK: - Elements

    /// - Returns: how many they were, of a string its bytes.
    private mutating func readElements(_ type: ReadableType, stated: UInt64) throws(ServerError) -> UInt64 {
        switch type {
        case .string: try readString(stated)
        case .list: try readRange("LRANGE")
        case .zset: try readRange("ZRANGE")
        case .set: try readScan("SSCAN")
        case .hash: try readScan("HSCAN")
        case .stream: try readStream()
        }
    }

    private mutating func slice(_ question: (_ count: Int) -> [[UInt8]]) throws(ServerError) -> RESPReply {
        while true {
            do throws(ServerError) { return try asker.ask(key, question(sliceCount)) } catch {
                guard error.code == .replyTooLarge, sliceCount > 1 else { throw error }
                sliceCount = max(1, sliceCount / 16)
            }
        }
    }

    private mutating func readString(_ byteCount: UInt64) throws(ServerError) -> UInt64 {
        var start: UInt64 = 0
        while start < byteCount {
            let end = min(start + Self.stringSliceByteCount, byteCount) - 1
            guard case .bulk(let bytes) = try asker.ask(key, words("GETRANGE", key, String(start), String(end))) else {
                throw malformed("GETRANGE")
            }
            if bytes.isEmpty { break }
            out.append(bytes)
            start += UInt64(bytes.count)
            try flush()
        }
        return start
    }

    private mutating func readRange(_ command: String) throws(ServerError) -> UInt64 {
        let hasScores = command == "ZRANGE"
        var start: UInt64 = 0
        while true {
            var asked: UInt64 = 0
            let reply = try slice { [key] count in
                asked = UInt64(count)
                var question = words(command, key, String(start), String(start + asked - 1))
                if hasScores { question.append(Array("WITHSCORES".utf8)) }
                return question
            }
            guard let elements = reply.array else { throw malformed(command) }
            let count: UInt64
            if hasScores {
                guard let members = ScoredMembers(reply), out.appendMembers(members) else { throw malformed(command) }
                count = UInt64(members.count)
            } else {
                guard out.appendTexts(elements) else { throw malformed(command) }
                count = UInt64(elements.count)
            }
            start += count
            try flush()
            if count < asked { return start }
        }
    }

    private mutating func readScan(_ command: String) throws(ServerError) -> UInt64 {
        var cursor = "0"
        var total: UInt64 = 0
        repeat {
            let reply = try slice { [key] count in words(command, key, cursor, "COUNT", String(count)) }
            guard let parts = reply.array, parts.count == 2, let next = parts[0].text, let elements = parts[1].array
            else { throw malformed(command) }
            cursor = next
            if command == "SSCAN" {
                guard out.appendTexts(elements) else { throw malformed(command) }
                total += UInt64(elements.count)
            } else {
                total += try takeFields(elements)
            }
            try flush()
        } while cursor != "0"
        return total
    }

    private mutating func takeFields(_ pairs: [RESPReply]) throws(ServerError) -> UInt64 {
        guard pairs.count.isMultiple(of: 2) else { throw malformed("HSCAN") }
        guard plan.hasFieldExpiry, !pairs.isEmpty else {
            guard out.appendTexts(pairs) else { throw malformed("HSCAN") }
            return UInt64(pairs.count / 2)
        }
        let reply = try asker.ask(key, FieldExpiry.question(key, pairs))
        guard let expiries = FieldExpiry.all(reply, count: pairs.count / 2),
            let count = out.appendExpiringFields(pairs, expiries, plan.version.family)
        else { throw malformed("HPEXPIRETIME") }
        return count
    }

    // MARK: - Streams

    private mutating func readStream() throws(ServerError) -> UInt64 {
        var nodes = StreamNodes(plan.version)
        var from = "-"
        while true {
            var asked = 0
            let reply = try slice { [key] count in
                asked = count
                return words("XRANGE", key, from, "+", "COUNT", String(count))
            }
            guard let entries = reply.array else { throw malformed("XRANGE") }
            for entry in entries {
                guard nodes.append(entry) else { throw malformed("XRANGE") }
            }
            out.append(nodes.out.bytes)
            nodes.out.truncate(to: 0)
            try flush()
            guard entries.count == asked, let next = nodes.lastID?.next else { break }
            from = next.description
        }
        nodes.closeNode()
        out.append(nodes.out.bytes)
        let report = try readStreamReport()
        streamNodeCount = nodes.nodeCount
        streamTypeByte = OutputBuffer.streamTypeByte(report, plan)
        out.appendTail(of: report, entryCount: nodes.entryCount, plan)
        return nodes.entryCount
    }

    /// Without entries but the first, and with all pending entries.
    private mutating func readStreamReport() throws(ServerError) -> StreamReport {
        var count: Int64 = 1
        while true {
            let reply = try asker.ask(key, words("XINFO STREAM", key, "FULL", "COUNT", String(count)))
            guard let report = StreamReport(reply) else { throw malformed("XINFO STREAM FULL") }
            if report.mostPending <= count { return report }
            count = report.mostPending
        }
    }
}

extension StreamID {
    /// The lowest ID above; nil above the last one.
    fileprivate var next: StreamID? {
        if sequence < .max { return StreamID(milliseconds: milliseconds, sequence: sequence + 1) }
        return milliseconds < .max ? StreamID(milliseconds: milliseconds + 1, sequence: 0) : nil
    }
}

extension ServerError {
    /// A temporary file that values are kept in on their way.
    init(_ error: SpillError) {
        guard let number = error.number else {
            self = .interrupted
            return
        }
        self.init(.sourceFailed, "cannot keep a value in \(error.folder): \(Self.words(errno: number))")
    }
}
