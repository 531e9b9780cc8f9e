import Glibc
import NIOCore
import RDBKit

/// One reading of all servers, from the first key to the last: what is on its way, and what comes next.
///
/// Memory: some batches of values on their way, each of `maxBatchByteCount` or of one value, which takes no more than
/// `SnapshotOptions.bigValueByteCount` of the server's memory.
final class SnapshotReading {
    private let servers: SnapshotServers
    private let wants: KeyFilter?
    private let notice: (String) -> Void
    private var hasBegun = false
    private var rate: RateLimit?

    private var jobs: [ScanJob] = []
    private var lister: KeyLister?
    private var job: ScanJob?
    private var selects = false
    private var ready: [ListedKey] = []
    private var readyFrom = 0
    private var inFlight: [Batch] = []
    /// Values that were read in slices and are not written yet.
    private var spooled: [SpooledValue] = []
    private let check: PayloadCheck
    private var moves: SlotMoves?
    /// A value while it is put together.
    private var value = OutputBuffer(capacity: 64 << 10)

    private struct Batch {
        var link: SnapshotLink
        var keys: [ListedKey]
        /// nil for a value that is read in slices.
        var request: SnapshotLink.Request?
    }

    private static let maxBatchKeyCount = 64
    private static let maxBatchByteCount: UInt64 = 1 << 20
    private static let maxBatchCount = 4

    init(_ servers: SnapshotServers, wants: KeyFilter?, notice: @escaping (String) -> Void) {
        self.servers = servers
        self.wants = wants
        self.notice = notice
        check = PayloadCheck(version: servers.version)
        rate = servers.options.keysPerSecond.map { RateLimit(perSecond: $0, now: currentMilliseconds()) }
    }

    /// Appends the next few entries, or ends the file.
    func produce(_ writer: inout RDBWriter) throws(ServerError) {
        if Interrupt.isRequested { throw .interrupted }
        if !hasBegun {
            hasBegun = true
            return try begin(&writer)
        }
        if let first = spooled.first {
            do throws(SpillError) { if try first.append(to: &writer) { spooled.removeFirst() } } catch {
                throw ServerError(error)
            }
            return
        }
        while true {
            try fill()
            if !inFlight.isEmpty { return try take(inFlight.removeFirst(), &writer) }
            if try !beginNextJob() { return writer.end() }
        }
    }

    // MARK: - What to read

    private func begin(_ writer: inout RDBWriter) throws(ServerError) {
        let head = SnapshotHead(servers, notice)
        try head.write(&writer)
        for server in servers.servers {
            for database in try head.databases(of: server) {
                let keys = servers.options.keys.map { keys in
                    keys.filter { servers.owner(ofSlot: HashSlot.of($0.rawSpan)) == server }
                }
                jobs.append(ScanJob(server: server, database: database, keys: keys))
            }
        }
        if servers.isCluster { moves = SlotMoves(servers) }
    }

    /// - Returns: whether there is anything left to read.
    private func beginNextJob() throws(ServerError) -> Bool {
        if jobs.isEmpty, let more = try moves?.jobsForMovedSlots(notice) { jobs = more }
        // From the first other database on, every request names its own.
        if jobs.contains(where: { $0.database != 0 }) { selects = true }
        if jobs.isEmpty { return false }
        let next = jobs.removeFirst()
        job = next
        lister = KeyLister(try servers.link(to: next.server), next, servers.options, selects: selects, wants)
        return true
    }

    // MARK: - Requests

    /// Sends requests for values until enough are on their way. Waits for the names of keys only where nothing else is.
    private func fill() throws(ServerError) {
        guard let job, lister != nil else { return }
        while inFlight.count < Self.maxBatchCount {
            if readyFrom == ready.count {
                ready.removeAll(keepingCapacity: true)
                readyFrom = 0
                guard let lister, !lister.isAtEnd, inFlight.isEmpty || lister.canAdvance else { return }
                try self.lister?.advance(&ready)
                continue
            }
            try send(job)
        }
    }

    private func send(_ job: ScanJob) throws(ServerError) {
        let link = try servers.link(to: job.server)
        var keys: [ListedKey] = []
        var byteCount: UInt64 = 0
        while readyFrom < ready.count, keys.count < Self.maxBatchKeyCount, byteCount < Self.maxBatchByteCount {
            let key = ready[readyFrom]
            let isAlone = key.isBig || link.plan.needsOtherWay(key)
            if isAlone, !keys.isEmpty { break }
            readyFrom += 1
            keys.append(key)
            byteCount += min(key.byteCount, Self.maxBatchByteCount)
            if isAlone {
                inFlight.append(Batch(link: link, keys: keys, request: nil))
                try hold(back: 1)
                return
            }
        }
        var bytes = ByteBuffer()
        var count = 0
        if selects {
            bytes.writeCommand("SELECT", String(job.database))
            count += 1
        }
        for key in keys {
            let commands = link.plan.questions(key).transaction(link.plan)
            for command in commands { bytes.writeCommand(command) }
            count += commands.count
        }
        inFlight.append(Batch(link: link, keys: keys, request: link.begin(bytes, commandCount: count)))
        try hold(back: keys.count)
    }

    private func hold(back keyCount: Int) throws(ServerError) {
        guard rate != nil else { return }
        var wait = rate?.take(keyCount, now: currentMilliseconds()) ?? 0
        while wait > 0 {
            if Interrupt.isRequested { throw .interrupted }
            usleep(UInt32(min(wait, 100) * 1000))
            wait -= 100
        }
    }

    // MARK: - Answers

    private func take(_ batch: Batch, _ writer: inout RDBWriter) throws(ServerError) {
        guard let job else { preconditionFailure("batches belong to a job") }
        guard let request = batch.request else {
            for key in batch.keys { try readAlone(key, job, &writer) }
            return
        }
        let replies: [RESPReply]
        do throws(ServerError) { replies = try batch.link.wait(request) } catch {
            guard error.code == .replyTooLarge else { throw error }
            // Larger than it looked.
            for key in batch.keys { try readAlone(key, job, &writer) }
            return
        }
        var rest = replies[...]
        if selects, let reply = rest.popFirst(), !reply.isOK {
            throw .refused(batch.link.address, "cannot use database \(job.database)", reply)
        }
        let plan = batch.link.plan
        var hashes: [HashAnswer] = []
        for key in batch.keys {
            let questionCount = plan.questions(key).count
            let answer = KeyAnswer(
                rest.prefix(KeyAnswer.replyCount(questionCount, plan)), questionCount: questionCount, plan,
                asked: batch.link.address)
            rest = rest.dropFirst(KeyAnswer.replyCount(questionCount, plan))
            guard case .replies(let answers) = answer, let reply = answers.first else {
                // Whatever it is: by itself it is followed, waited for, or told.
                try readAlone(key, job, &writer)
                continue
            }
            let expiry: Int64?
            switch plan.expiry(answers[1...]) {
            case .none: expiry = nil
            case .at(let time): expiry = time
            case .gone: continue
            case .blurred, .malformed:
                try readAlone(key, job, &writer)
                continue
            }
            if plan.hasFieldExpiry, key.type == .readable(.hash), let pairs = reply.array, !pairs.isEmpty {
                hashes.append(HashAnswer(key: key, pairs: pairs, expiry: expiry))
            } else if try !write(key, reply, expiry, job, plan, &writer) {
                try readAlone(key, job, &writer)
            }
        }
        if !hashes.isEmpty { try take(hashes, batch.link, job, &writer) }
    }

    private struct HashAnswer {
        var key: ListedKey
        var pairs: [RESPReply]
        var expiry: Int64?
    }

    /// Asks for the expiries of the fields of all hashes of a batch.
    private func take(
        _ hashes: [HashAnswer], _ link: SnapshotLink, _ job: ScanJob, _ writer: inout RDBWriter
    ) throws(ServerError) {
        var commands: [[[UInt8]]] = []
        if selects { commands.append([Array("SELECT".utf8), Array(String(job.database).utf8)]) }
        for hash in hashes { commands.append(FieldExpiry.question(hash.key.key, hash.pairs)) }
        let replies = try link.ask(commands).dropFirst(selects ? 1 : 0)
        for (hash, reply) in zip(hashes, replies) {
            guard let expiries = FieldExpiry.all(reply, count: hash.pairs.count / 2) else {
                // It has moved, or become something else.
                try readAlone(hash.key, job, &writer)
                continue
            }
            try write(hash, expiries, job, link.plan, &writer)
        }
    }

    /// A key by itself, wherever it is and whatever it has become.
    private func readAlone(_ listed: ListedKey, _ job: ScanJob, _ writer: inout RDBWriter) throws(ServerError) {
        var listed = listed
        var asker = KeyAsker(servers, at: job.server, database: job.database, selects: selects)
        var failure = ServerError(.refused(reply: ""), "")
        for attempt in 1...Self.maxAttempts {
            do throws(ServerError) {
                if try attemptAlone(&listed, job, &asker, isLast: attempt == Self.maxAttempts, &writer) { return }
            } catch {
                failure = error
                switch error.code {
                case .replyTooLarge:
                    // What cannot be read in slices either is tried whole, once.
                    if listed.isBig { listed.mustBeWhole = true }
                    listed.isBig = true
                case .refused(let words) where words.hasPrefix("WRONGTYPE"): break
                case .refused(let words) where words.hasPrefix("ERR no such key"): return
                default: throw Self.about(listed.key, error)
                }
                listed.type = nil
            }
        }
        throw Self.about(listed.key, failure)
    }

    private static let maxAttempts = 10

    /// - Returns: false where it has to be asked again.
    private func attemptAlone(
        _ listed: inout ListedKey, _ job: ScanJob, _ asker: inout KeyAsker, isLast: Bool, _ writer: inout RDBWriter
    ) throws(ServerError) -> Bool {
        let key = listed.key
        let plan = try servers.link(to: asker.address).plan
        if listed.type == nil, !plan.dumps || listed.isBig {
            listed.type = ListedKey.TypeAnswer(try asker.ask(key, words("TYPE", key)))
            if listed.type == .other("none") { return true }
        }
        if listed.isBig, !listed.mustBeWhole, case .readable(let type)? = listed.type {
            var reader = SliceReader(key, asker, plan)
            if let value = try reader.read(type, database: job.database) { spooled.append(value) }
            return true
        }
        if !plan.dumps, case .other(let name)? = listed.type, !plan.canDump {
            throw ServerError(
                .refused(reply: "NOPERM"), "only DUMP reads values of type \(name), and this user may not use it")
        }
        let asked = listed
        let (answers, answered) = try asker.ask(key) { $0.questions(asked) }
        guard let reply = answers.first else { return false }
        let expiry: Int64?
        switch answered.expiry(answers[1...]) {
        case .none: expiry = nil
        case .at(let time): expiry = time
        case .blurred(let time) where isLast: expiry = time
        case .gone: return true
        case .blurred: return false
        case .malformed: throw ServerError(.protocolViolation, "\(asker.address): an unexpected reply to PTTL")
        }
        if answered.hasFieldExpiry, listed.type == .readable(.hash), !answered.readsByDump(listed),
            let pairs = reply.array, !pairs.isEmpty
        {
            let reply = try asker.ask(key, FieldExpiry.question(key, pairs))
            guard let expiries = FieldExpiry.all(reply, count: pairs.count / 2) else { return false }
            try write(HashAnswer(key: listed, pairs: pairs, expiry: expiry), expiries, job, answered, &writer)
            return true
        }
        if try write(listed, reply, expiry, job, answered, &writer) { return true }
        // A layout that this release does not know: then by the commands of its type, if there are any.
        listed.type = ListedKey.TypeAnswer(try asker.ask(key, words("TYPE", key)))
        guard case .readable? = listed.type else {
            throw ServerError(
                .protocolViolation, "\(asker.address): a payload of a type byte that this release does not know")
        }
        listed.isUnknownLayout = true
        return false
    }

    /// Says which key it was, once.
    private static func about(_ key: [UInt8], _ error: ServerError) -> ServerError {
        if error.code == .interrupted || error.message.hasPrefix("cannot read key ") { return error }
        let shown = key.count > 100 ? Array(key.prefix(100)) : key
        var out = OutputBuffer(capacity: 256)
        JSONValue.bytes(shown).append(to: &out)
        let name = String(decoding: out.bytes.array, as: UTF8.self) + (shown.count < key.count ? "…" : "")
        return ServerError(error.code, "cannot read key \(name): \(error.message)")
    }

    private static func malformed(_ key: [UInt8], _ words: String) -> ServerError {
        about(key, ServerError(.protocolViolation, words))
    }

    // MARK: - Entries

    /// Writes a value as it came.
    /// - Returns: false where it is of a layout that this release does not know.
    /// - Throws: `protocolViolation` where it is not what it should be.
    private func write(
        _ listed: ListedKey, _ reply: RESPReply, _ expiry: Int64?, _ job: ScanJob, _ plan: SnapshotPlan,
        _ writer: inout RDBWriter
    ) throws(ServerError) -> Bool {
        let header = EntryHeader(database: job.database, expiresAt: expiry)
        if plan.readsByDump(listed) {
            if reply.isNull { return true }
            guard case .bulk(let payload) = reply else {
                throw Self.malformed(listed.key, "an unexpected reply to DUMP")
            }
            let range: Range<Int>
            do throws(PayloadCheck.Fault) { range = try check.valueRange(of: payload) } catch {
                if case .unknownType = error { return false }
                throw Self.malformed(listed.key, error.message)
            }
            writer.beginEntry(header, typeByte: payload[0], key: listed.key.rawSpan)
            writer.out.append(payload.rawSpan.extracting(range))
            return true
        }
        guard case .readable(let type)? = listed.type else { return false }
        if type.isGone(reply) { return true }
        value.truncate(to: 0)
        value.shrink(to: 1 << 20)
        guard let typeByte = value.appendValue(type, reply, plan) else {
            throw Self.malformed(listed.key, "an unexpected reply where a value of type \(type.rawValue) is read")
        }
        writer.beginEntry(header, typeByte: typeByte, key: listed.key.rawSpan)
        writer.out.append(value, 0..<value.byteCount)
        return true
    }

    private func write(
        _ hash: HashAnswer, _ expiries: [FieldExpiry], _ job: ScanJob, _ plan: SnapshotPlan, _ writer: inout RDBWriter
    ) throws(ServerError) {
        let header = EntryHeader(database: job.database, expiresAt: hash.expiry)
        value.truncate(to: 0)
        value.shrink(to: 1 << 20)
        var typeByte: UInt8 = 4
        if expiries.contains(where: { $0 != .none }) {
            let count = UInt64(expiries.count { $0 != .gone })
            if count == 0 { return }
            typeByte = OutputBuffer.expiringHashTypeByte(plan.version.family)
            value.beginExpiringHash(count: count, plan.version.family)
            guard value.appendExpiringFields(hash.pairs, expiries, plan.version.family) != nil else {
                throw Self.malformed(hash.key.key, "an unexpected reply to HGETALL")
            }
        } else {
            value.append(length: UInt64(expiries.count))
            guard value.appendTexts(hash.pairs) else {
                throw Self.malformed(hash.key.key, "an unexpected reply to HGETALL")
            }
        }
        let key = hash.key.key
        writer.beginEntry(header, typeByte: typeByte, key: key.rawSpan)
        writer.out.append(value, 0..<value.byteCount)
    }
}
