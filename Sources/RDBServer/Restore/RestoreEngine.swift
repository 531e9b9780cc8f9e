import NIOCore
import RDBKit

/// Sends entries and sees to it that each is answered for: the part of a restore between the decoder and the connections.
/// All of it runs on the thread that decodes; connections work on their own and report by events.
///
/// Memory: `maxBytesInFlight` and as much for what is sent again, the frames being built, the decoder's.
final class RestoreEngine {
    static let maxBytesInFlight = 16 << 20
    static let maxFramesInFlight = 32

    /// Why a run ends before its input does.
    enum Stop {
        case conflict
        case server(ServerError)
        case checkpoint(OutputError)
        case interrupted
    }

    let target: RestoreTarget
    let plan: RestorePlan
    let options: RestoreOptions
    private let report: (RestoreFailure) -> Void
    private let checkpoint: CheckpointFile?
    private(set) var summary = RestoreSummary()
    private(set) var stop: Stop?

    private let slotTags = SlotTags()
    private let runNumber = UInt64.random(in: .min ... .max)
    private var temporaryCount: UInt64 = 0
    private var nextFrame: UInt64 = 0
    private var bytesInFlight = 0
    private var framesInFlight = 0
    private var waiting: [WaitingEntry] = []
    /// No entry of `waiting` is due before.
    private var nextResend: Int64 = 0
    /// Entries whose payload the target did not take, to be sent as commands.
    private var refused: [WaitingEntry] = []
    /// Of those that wait and those that were refused.
    private var bytesWaiting = 0
    /// Keys that exist, perhaps by this run's own doing.
    private var doubts: [Doubt] = []
    /// Of an entry that ended the run: another run with the checkpoint begins with it.
    private var heldOffset = UInt64.max
    /// Offsets of entries that were not applied, or not as a whole, and are not counted in the checkpoint.
    private var failedOffsets: [UInt64] = []
    private var lastProgress = currentMilliseconds()
    /// When the last entry was done with: what the input takes from then on is not the target's silence.
    private var leftAt = currentMilliseconds()
    private var lastCheckpoint = currentMilliseconds()
    private var lastWords = ""
    private var byteRate: RateLimit?
    private var entryRate: RateLimit?
    /// Frames are no larger, so that a low rate is kept within each second.
    private let frameByteCount: Int
    /// Why each database cannot be selected, nil where it can; as far as was asked.
    private var databaseRefusals: [UInt64: String?] = [:]

    init(
        _ target: RestoreTarget, plan: RestorePlan, options: RestoreOptions, checkpoint: CheckpointFile?,
        report: @escaping (RestoreFailure) -> Void
    ) {
        self.target = target
        self.plan = plan
        self.options = options
        self.checkpoint = checkpoint
        self.report = report
        let now = currentMilliseconds()
        byteRate = options.maxBytesPerSecond.map { RateLimit(perSecond: $0, now: now) }
        frameByteCount = options.maxBytesPerSecond.map { Int(clamping: max(4096, $0 / 10)) } ?? .max
        entryRate = options.maxEntriesPerSecond.map { RateLimit(perSecond: $0, now: now) }
    }

    func end(_ reason: Stop) {
        if stop == nil { stop = reason }
    }

    /// From an earlier run: entries before `acknowledged` are done with, those before `reserved` may be; so many of the
    /// former were not applied.
    private(set) lazy var resumeOffsets: (acknowledged: UInt64, reserved: UInt64, failed: UInt64) = {
        guard let checkpoint, checkpoint.isResumed else { return (0, 0, 0) }
        let found = checkpoint.checkpoint
        return (found.acknowledged, found.reserved, found.failed)
    }()

    // MARK: - Entries

    /// Sends the entry that the reader stands at, or keeps it for a frame.
    func add(_ reader: inout RDBReader, _ header: EntryHeader, key: RawSpan) throws(DecodeError) {
        lastProgress += max(0, currentMilliseconds() - leftAt)
        defer { leftAt = currentMilliseconds() }
        if let refusal = refusal(ofDatabase: header.database) {
            let number = header.database
            fail(
                header, key.array, .lost,
                "the target has no database \(number) (\(refusal)); --db-map \(number):0 puts it into another one")
            return try reader.skipValue()
        }
        if stop != nil { return try reader.skipValue() }
        if header.type == .module, let words = try missingModule(&reader) {
            fail(header, key.array, .lost, words)
            return try reader.skipValue()
        }
        if options.isDryRun { return try plan(&reader, header, key: key) }
        let isUncertain = header.startOffset < resumeOffsets.reserved
        reserve(header.startOffset)
        let slot = HashSlot.of(key)
        guard let link = readyLink(slot: slot, database: header.database) else { return }
        let encoding = try link.builder.encode(&reader, header, key: key, isUncertain: isUncertain) {
            temporaryKey(slot: slot)
        }
        switch encoding {
        case .done:
            add(losses: link.builder.losses, header, key)
            if link.builder.isFull || link.builder.byteCount >= frameByteCount { submit(link) }
        case .nothing: applied(header, .commands)
        case .lost:
            lose(header, key.array)
        case .oneFrame:
            submit(link)
            let (bytes, note) = try link.builder.encodeFrame(&reader, header, key: key, isUncertain: isUncertain)
            submit(bytes, [note], commandCount: note.commandCount, firstOffset: header.startOffset, on: link)
        case .tooLarge:
            try reader.rewindToValue()
            let value = LargeValue(self, plan, header, key: key.array, slot: slot, isUncertain: isUncertain)
            try value.send(&reader)
        }
        pump(milliseconds: 0)
        while stop == nil, isOverfull || !refused.isEmpty {
            sendRefused()
            if isOverfull { pump(milliseconds: 100) }
        }
        if let wait = entryRate?.take(1, now: currentMilliseconds()), wait > 0 {
            // What is gathered is within the rate: it does not wait for more.
            for link in target.allLinks { submit(link) }
            pause(wait)
        }
    }

    /// The input's next entries come from another database. Those of one database differ in their keys; in a batch with
    /// others, a key that comes twice would not be noticed.
    func separate() {
        for link in target.allLinks { submit(link) }
    }

    private var isOverfull: Bool {
        bytesInFlight + bytesWaiting > Self.maxBytesInFlight || framesInFlight > Self.maxFramesInFlight
    }

    /// What would be done with the entry.
    private func plan(_ reader: inout RDBReader, _ header: EntryHeader, key: RawSpan) throws(DecodeError) {
        var builder = FrameBuilder(plan, EntryEncoder(plan))
        switch try builder.encode(&reader, header, key: key, isUncertain: false, temporaryKey: { [] }) {
        case .done:
            add(losses: builder.losses, header, key)
            let (bytes, notes, _, _) = builder.take()
            summary.byteCount += UInt64(bytes.readableBytes)
            for note in notes { applied(header, note.form) }
        case .nothing: applied(header, .commands)
        case .lost:
            lose(header, key.array)
        case .oneFrame, .tooLarge:
            try reader.rewindToValue()
            let (form, byteCount) = try LargeValue(
                self, plan, header, key: key.array, slot: 0, isUncertain: false
            ).plan(&reader)
            summary.byteCount += byteCount
            applied(header, form)
        }
    }

    func temporaryKey(slot: Int) -> [UInt8] {
        temporaryCount += 1
        return slotTags.temporaryKey(slot: slot, run: runNumber, number: temporaryCount)
    }

    /// The server's words where it does not have this database.
    private func refusal(ofDatabase database: UInt64) -> String? {
        if database == 0 { return nil }
        if let known = databaseRefusals[database] { return known }
        beginWaiting()
        while stop == nil {
            for server in target.servers {
                do throws(ServerError) {
                    // Whatever this is answered, the database was selected before.
                    _ = try target.ask(server, database: database, [Array("PING".utf8)])
                    databaseRefusals.updateValue(nil, forKey: database)
                    return nil
                } catch {
                    lastWords = error.message
                    if case .refused(let words) = error.code {
                        if case .later = Verdict.ofError(words, .set) { continue }
                        databaseRefusals[database] = words
                        return words
                    }
                    if !error.isOfConnection { end(.server(error)) }
                }
            }
            checkPatience(currentMilliseconds())
            pump(milliseconds: 100)
        }
        return nil
    }

    /// A question that is asked again until the server answers; nil when the run has to end.
    private func askPatiently(_ server: ServerAddress, _ words: [[UInt8]]) -> RESPReply? {
        beginWaiting()
        while stop == nil {
            do throws(ServerError) {
                let reply = try target.ask(server, words)
                guard let text = reply.errorText else { return reply }
                switch Verdict.ofError(text, .set) {
                case .later: lastWords = "\(server): \(text)"
                case .hopeless: end(.server(ServerError(.refused(reply: text), "\(server): \(text)")))
                default: return reply
                }
            } catch {
                lastWords = error.message
                if !error.isOfConnection { end(.server(error)) }
            }
            checkPatience(currentMilliseconds())
            pump(milliseconds: 100)
        }
        return nil
    }

    /// Why no module of the target reads the value that the reader stands at; nil where one may.
    private func missingModule(_ reader: inout RDBReader) throws(DecodeError) -> String? {
        guard let modules = plan.modules, reader.type == .module2 else { return nil }
        let name = try reader.moduleID().name
        return ModuleTypes.isMissing(name, modules, plan.target) ? "the target has no module \"\(name)\"" : nil
    }

    /// A connected link for the slot, or to a server named in its place, in that database; waits while there is none. Nil
    /// when the run has to end.
    func readyLink(slot: Int, database: UInt64, at asked: ServerAddress? = nil) -> RestoreLink? {
        var isFirst = true
        while stop == nil {
            let address = asked ?? target.owner(ofSlot: slot)
            let link = address.map { target.link(to: $0, slot: slot) }
            if let link, link.connection != nil, link.database == database { return link }
            if isFirst { beginWaiting() }
            isFirst = false
            let now = currentMilliseconds()
            if let link {
                if connect(link, now: now), select(database, on: link, now: now) { return link }
            } else {
                target.refreshTopology(now: now)
                lastWords = "no server owns slot \(slot)"
            }
            checkPatience(now)
            pump(milliseconds: 50)
        }
        return nil
    }

    private func connect(_ link: RestoreLink, now: Int64) -> Bool {
        if link.connection != nil { return true }
        if now < link.retryAt { return false }
        let isFirst = link.number < 0 && link.sent.isEmpty && summary.reconnections == 0
        guard let error = target.connect(link) else { return true }
        lastWords = error.message
        if !error.isOfConnection, !isTemporary(error) { end(.server(error)) }
        if !isFirst || target.isCluster { target.refreshTopology(now: now) }
        return false
    }

    /// A server that is just starting answers, but only to say so.
    private func isTemporary(_ error: ServerError) -> Bool {
        if case .refused(let reply) = error.code { return reply.hasPrefix("LOADING") }
        return false
    }

    /// Puts a link into a database. The answer is waited for: were it refused unseen (a script runs), all that follows
    /// would go into another database. Files hold one database after another, so this is rare.
    private func select(_ database: UInt64, on link: RestoreLink, now: Int64) -> Bool {
        if link.database == database { return true }
        if now < link.retryAt { return false }
        submit(link, waits: false)
        guard let connection = link.connection else { return false }
        do throws(ServerError) {
            let reply = try connection.call("SELECT", String(database))
            if reply.isOK {
                link.database = database
                return true
            }
            lastWords = "\(link.address): cannot use database \(database): \(reply.errorText ?? "")"
            link.retryAt = now + 100
        } catch {
            // An event tells the end of the connection as well.
            lastWords = error.message
        }
        return false
    }

    // MARK: - Functions

    /// Loads a library on every server. One that is there with the same code is as good as loaded.
    func load(_ library: FunctionLibrary) {
        guard plan.target.hasFunctions, !library.code.isCut else {
            summary.losses.add(library)
            summary.functions.failed += 1
            return
        }
        if options.isDryRun {
            summary.functions.applied += 1
            return
        }
        var words = [Array("FUNCTION".utf8), Array("LOAD".utf8)]
        if options.onConflict == .replace { words.append(Array("REPLACE".utf8)) }
        words.append(library.source)
        var isSkipped = false
        for server in target.servers {
            guard let reply = askPatiently(server, words) else { return }
            guard let text = reply.errorText else { continue }
            let exists = text.contains("already exists")
            if exists, isThere(library, at: server) { continue }
            if exists, options.onConflict == .skip {
                isSkipped = true
                continue
            }
            summary.functions.failed += 1
            report(
                RestoreFailure(
                    database: 0, key: Array(library.name.utf8), type: nil, offset: 0,
                    reason: exists ? .exists : .refused, message: text))
            if exists { end(.conflict) }
            return
        }
        if isSkipped { summary.functions.skipped += 1 } else { summary.functions.applied += 1 }
    }

    private func isThere(_ library: FunctionLibrary, at server: ServerAddress) -> Bool {
        let question = ["FUNCTION", "LIST", "LIBRARYNAME", library.name, "WITHCODE"].map { Array($0.utf8) }
        let found = askPatiently(server, question)?.array?.first
        return found?["library_code"]?.bytes == library.source
    }

    // MARK: - Frames

    /// Sends what the link has built.
    /// - Parameter waits: whether to keep to the rate at once, and not before the next frame.
    func submit(_ link: RestoreLink, waits: Bool = true) {
        guard !link.builder.isEmpty, link.connection != nil else { return }
        let (bytes, notes, commandCount, firstOffset) = link.builder.take()
        submit(bytes, notes, commandCount: commandCount, firstOffset: firstOffset, on: link, waits: waits)
    }

    private func submit(
        _ bytes: ByteBuffer, _ notes: [EntryNote], commandCount: Int, firstOffset: UInt64, on link: RestoreLink,
        waits: Bool = true
    ) {
        let frame = CommandFrame(id: nextFrame, bytes: bytes, commandCount: commandCount)
        nextFrame += 1
        // What is sent again has been waited for already: patience goes on with it.
        if waits { beginWaiting() }
        link.sent[frame.id] = RestoreLink.SentFrame(bytes: bytes, notes: notes, firstOffset: firstOffset)
        bytesInFlight += bytes.readableBytes
        framesInFlight += 1
        summary.byteCount += UInt64(bytes.readableBytes)
        link.connection?.submit(frame)
        throttle(bytes.readableBytes, waits: waits)
    }

    func throttle(_ byteCount: Int, waits: Bool = true) {
        if let wait = byteRate?.take(byteCount, now: currentMilliseconds()), wait > 0, waits { pause(wait) }
    }

    /// Waits, but takes events meanwhile.
    private func pause(_ milliseconds: Int64) {
        let until = currentMilliseconds() + milliseconds
        while stop == nil {
            let left = until - currentMilliseconds()
            if left <= 0 { return }
            pump(milliseconds: Int(min(left, 100)))
            // It is this side that does nothing.
            keepPatience()
        }
    }

    /// Takes the events that have come, waiting for the first one if asked; sends again what is due.
    func pump(milliseconds: Int) {
        if Interrupt.isRequested { end(.interrupted) }
        for event in target.events.wait(milliseconds: milliseconds) {
            switch event {
            case .completed(let number, let frame, let remarkable):
                guard let link = target.link(numbered: number) else { continue }
                link.backoff = 0
                if let sent = remove(frame, link) {
                    settle(sent, remarkable, answered: nil, link)
                } else {
                    large?.completed(frame, remarkable)
                }
            case .closed(let number, let error, let unfinished):
                guard let link = target.link(numbered: number) else { continue }
                lost(link, error, unfinished)
            }
        }
        resolveDoubts()
        let now = currentMilliseconds()
        resend(now)
        large?.keepAlive(now)
        writeCheckpoint(now)
    }

    private func remove(_ frame: UInt64, _ link: RestoreLink) -> RestoreLink.SentFrame? {
        guard let sent = link.sent.removeValue(forKey: frame) else { return nil }
        bytesInFlight -= sent.bytes.readableBytes
        framesInFlight -= 1
        return sent
    }

    private func lost(_ link: RestoreLink, _ error: ServerError, _ unfinished: [UnfinishedFrame]) {
        lastWords = error.message
        if error.code == .interrupted { end(.interrupted) }
        if large?.link === link { large?.lost() }
        summary.reconnections += 1
        for each in unfinished {
            if each.answeredCount > 0 { link.backoff = 0 }
            guard let sent = remove(each.frame, link) else { continue }
            settle(sent, each.remarkable, answered: each.answeredCount, link)
        }
        // What was submitted after the end was not sent. A further event says so, but finds the link with another number.
        for frame in link.sent.keys.sorted() {
            guard let sent = remove(frame, link) else { continue }
            for note in sent.notes { wait(note, sent.bytes, words: error.message, delay: 0) }
        }
        // What was being built was not sent; another server may have its slots by then.
        let (bytes, notes, _, _) = link.builder.take()
        for note in notes { wait(note, bytes, words: error.message, delay: 0) }
        target.drop(link)
        link.delayNextConnection(currentMilliseconds())
        switch error.code {
        case .closed, .timeout, .cannotConnect, .interrupted: break
        default: end(.server(error))
        }
    }

    // MARK: - Answers

    /// - Parameter answered: how many of the frame's commands were answered, nil for all.
    private func settle(
        _ sent: RestoreLink.SentFrame, _ remarkable: [RemarkableReply], answered: Int?, _ link: RestoreLink
    ) {
        var nextRemark = 0
        for note in sent.notes {
            while nextRemark < remarkable.count, remarkable[nextRemark].command < note.firstCommand { nextRemark += 1 }
            if let answered, note.firstCommand + note.commandCount > answered {
                var note = note
                note.isUncertain = true
                wait(note, sent.bytes, words: "the connection was lost", delay: 0)
                continue
            }
            var replies: [RESPReply] = []
            var index = nextRemark
            while index < remarkable.count, remarkable[index].command < note.firstCommand + note.commandCount {
                replies.append(remarkable[index].reply)
                index += 1
            }
            if replies.isEmpty {
                applied(note.header, note.form)
            } else {
                let endsInRename = note.form == .commands && plan.buildsAside
                settle(note, sent.bytes, Verdict(note.form, replies: replies, endsInRename: endsInRename), link)
            }
        }
    }

    private func settle(_ note: EntryNote, _ bytes: ByteBuffer, _ verdict: Verdict, _ link: RestoreLink) {
        switch verdict {
        case .applied: applied(note.header, note.form)
        case .conflict: conflict(note, bytes)
        case .splitBatch: wait(note, bytes, words: "", delay: 0)
        case .moved(let text):
            target.note(redirection: text, from: link.address)
            wait(note, bytes, words: text, delay: note.attempts > 3 ? 50 : 0)
        case .ask(let text):
            // A transaction cannot be carried out half here, half there: it waits for the slot to settle.
            let address = ClusterRedirection(errorText: text, asked: link.address)?.address
            if note.form == .commands {
                wait(note, bytes, words: text, delay: 100)
            } else {
                wait(note, bytes, words: text, delay: note.attempts > 3 ? 50 : 0, asked: address)
            }
        case .later(let text):
            var note = note
            // Had only its MULTI been refused, what follows was carried out.
            if note.form == .commands { note.isUncertain = true }
            wait(note, bytes, words: text, delay: min(1000, 20 << Int64(min(note.attempts, 6))))
            target.refreshTopology(now: currentMilliseconds())
        case .payloadRefused(let text):
            if plan.form == .auto, note.form == .restore, note.header.type != .module {
                let entry = Self.entry(note, bytes)
                bytesWaiting += entry.byteCount
                refused.append(entry)
            } else {
                fail(note.header, key(note, bytes), .refused, words(text, note, bytes))
            }
        case .gone where note.header.expiresAt != nil || note.header.hasFieldExpiries:
            // Its time, or that of all its fields, was over before it got its name.
            applied(note.header, note.form)
        case .failed(let text), .gone(let text):
            fail(note.header, key(note, bytes), .refused, words(text, note, bytes))
        case .hopeless(let text):
            if target.isCluster, text.hasPrefix("READONLY") {
                // A failover has made another server the owner.
                target.refreshTopology(now: currentMilliseconds())
                return wait(note, bytes, words: text, delay: 100)
            }
            refuseAll(note.header, key(note, bytes), text, link.address)
        }
    }

    /// The server's words, and which module they are about.
    private func words(_ text: String, _ note: EntryNote, _ bytes: ByteBuffer) -> String {
        guard note.header.type == .module, let value = payloadValue(note, bytes) else { return text }
        return ModuleTypes.words(text, value.readableBytesSpan)
    }

    private func key(_ note: EntryNote, _ bytes: ByteBuffer) -> [UInt8] {
        bytes.getBytes(at: note.key.lowerBound, length: note.key.count) ?? []
    }

    func applied(_ header: EntryHeader, _ form: RestoreForm) {
        summary.byType[header.type, default: .init()].applied += 1
        summary.byForm[form, default: 0] += 1
        lastProgress = currentMilliseconds()
    }

    /// The target has no way to hold the entry.
    func lose(_ header: EntryHeader, _ key: [UInt8]) {
        fail(header, key, .lost, "\(plan.target) has no values of this type (\(header.type.name))")
    }

    /// The server would refuse every other entry as well.
    func refuseAll(_ header: EntryHeader, _ key: [UInt8], _ text: String, _ address: ServerAddress) {
        heldOffset = min(heldOffset, header.startOffset)
        report(
            RestoreFailure(
                database: header.database, key: key, type: header.type, offset: header.startOffset, reason: .refused,
                message: text))
        summary.byType[header.type, default: .init()].failed += 1
        end(.server(ServerError(.refused(reply: text), "\(address): \(text)")))
    }

    func fail(_ header: EntryHeader, _ key: [UInt8], _ reason: RestoreFailure.Reason, _ message: String) {
        if checkpoint != nil { failedOffsets.append(header.startOffset) }
        summary.byType[header.type, default: .init()].failed += 1
        report(
            RestoreFailure(
                database: header.database, key: key, type: header.type, offset: header.startOffset, reason: reason,
                message: message))
    }

    private func conflict(_ note: EntryNote, _ bytes: ByteBuffer) {
        if note.isUncertain {
            doubts.append(Doubt(note: note, bytes: bytes))
        } else {
            exists(note.header, key(note, bytes))
        }
    }

    /// The key is there, and this run has not made it.
    func exists(_ header: EntryHeader, _ key: [UInt8]) {
        if options.onConflict == .skip {
            summary.byType[header.type, default: .init()].skipped += 1
            keepPatience()
        } else {
            summary.byType[header.type, default: .init()].failed += 1
            heldOffset = min(heldOffset, header.startOffset)
            report(
                RestoreFailure(
                    database: header.database, key: key, type: header.type, offset: header.startOffset,
                    reason: .exists, message: "the key exists at the target"))
            end(.conflict)
        }
    }

    /// Looks at the keys that exist, perhaps because a command was carried out whose reply got lost: what holds the
    /// entry's own data was made by it.
    private func resolveDoubts() {
        guard !doubts.isEmpty, stop == nil else { return }
        let all = doubts
        doubts = []
        var batches: [ServerAddress: [(doubt: Doubt, expected: ReadBack.Expected)]] = [:]
        for doubt in all {
            guard let expected = expectation(doubt.note, doubt.bytes) else {
                exists(doubt.note.header, key(doubt.note, doubt.bytes))
                continue
            }
            guard let server = target.owner(ofSlot: HashSlot.of(expected.key.rawSpan)) else {
                wait(doubt.note, doubt.bytes, words: "", delay: 100)
                continue
            }
            batches[server, default: []].append((doubt, expected))
        }
        let readBack = ReadBack(self)
        for (server, batch) in batches {
            var rest = batch[...]
            while !rest.isEmpty {
                let some = rest.prefix(ReadBack.maxBatchCount)
                rest = rest.dropFirst(some.count)
                let found = readBack.compare(some.map(\.expected), at: server)
                for (each, match) in zip(some, found) {
                    switch match {
                    case .same: applied(each.doubt.note.header, each.doubt.note.form)
                    case .other: exists(each.doubt.note.header, each.expected.key)
                    case .unknown(let words): wait(each.doubt.note, each.doubt.bytes, words: words, delay: 100)
                    }
                }
            }
        }
    }

    /// What the key holds if the entry's commands have put it there.
    private func expectation(_ note: EntryNote, _ bytes: ByteBuffer) -> ReadBack.Expected? {
        let key = key(note, bytes)
        let readBack = ReadBack(self)
        var digest: Digest128?
        switch note.form {
        case .restore:
            guard let value = payloadValue(note, bytes) else { return nil }
            digest = readBack.digest(
                note.header, inputVersion, key: key, value: value.readableBytesSpan)
        case .batched, .set:
            guard let value = Self.setValue(note, bytes) else { return nil }
            digest = readBack.digest(string: value.readableBytesSpan, note.header, key: key)
        case .commands, .sliced: digest = note.digest
        }
        return digest.map { ReadBack.Expected(header: note.header, key: key, digest: $0) }
    }

    /// The value within the payload of a RESTORE.
    private func payloadValue(_ note: EntryNote, _ bytes: ByteBuffer) -> ByteBuffer? {
        let count = note.payload.count - 1 - RDBReader.payloadFooterByteCount
        return count < 0 ? nil : bytes.getSlice(at: note.payload.lowerBound + 1, length: count)
    }

    /// The value of a SET: the argument behind the key.
    private static func setValue(_ note: EntryNote, _ bytes: ByteBuffer) -> ByteBuffer? {
        let start = note.key.upperBound + 3
        guard start < bytes.readableBytes,
            let head = bytes.getSlice(at: start, length: min(16, bytes.readableBytes - start))
        else { return nil }
        let digits = head.readableBytesView.prefix { 0x30...0x39 ~= $0 }
        guard let count = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        return bytes.getSlice(at: start + digits.count + 2, length: count)
    }

    // MARK: - Again

    private func wait(
        _ note: EntryNote, _ bytes: ByteBuffer, words: String, delay: Int64, asked: ServerAddress? = nil
    ) {
        if !words.isEmpty { lastWords = words }
        var entry = Self.entry(note, bytes)
        entry.note.attempts += 1
        entry.notBefore = currentMilliseconds() + delay
        entry.asked = asked
        bytesWaiting += entry.byteCount
        nextResend = min(nextResend, entry.notBefore)
        waiting.append(entry)
    }

    /// An entry by itself: the frame around it may be much larger.
    private static func entry(_ note: EntryNote, _ bytes: ByteBuffer) -> WaitingEntry {
        var note = note
        let own = note.bytes
        guard let slice = bytes.getSlice(at: own.lowerBound, length: own.count) else {
            preconditionFailure("an entry lies within its frame")
        }
        var copy = slice
        if own.count < bytes.readableBytes {
            copy = ByteBuffer()
            copy.writeImmutableBuffer(slice)
        }
        note.bytes = 0..<own.count
        note.key = note.key.lowerBound - own.lowerBound..<note.key.upperBound - own.lowerBound
        if !note.name.isEmpty {
            note.name = note.name.lowerBound - own.lowerBound..<note.name.upperBound - own.lowerBound
        }
        if note.form == .restore {
            note.payload = note.payload.lowerBound - own.lowerBound..<note.payload.upperBound - own.lowerBound
        } else {
            note.payload = 0..<0
        }
        return WaitingEntry(note: note, bytes: copy)
    }

    private func resend(_ now: Int64) {
        guard !waiting.isEmpty, stop == nil, now >= nextResend else { return }
        checkPatience(now)
        nextResend = .max
        // By database, so that links need not change theirs back and forth.
        let all = waiting.sorted { $0.note.header.database < $1.note.header.database }
        waiting = []
        var rest: [WaitingEntry] = []
        var used: Set<ObjectIdentifier> = []
        var links: [RestoreLink] = []
        for entry in all {
            guard entry.notBefore <= now, let link = linkNow(for: entry, now) else {
                nextResend = min(nextResend, max(entry.notBefore, now + 20))
                rest.append(entry)
                continue
            }
            bytesWaiting -= entry.byteCount
            link.builder.append(entry.note, of: entry.bytes, asking: entry.asked != nil)
            if used.insert(ObjectIdentifier(link)).inserted { links.append(link) }
            // This is called while events are taken: it must not wait for others.
            if link.builder.isFull { submit(link, waits: false) }
        }
        waiting = rest + waiting
        for link in links { submit(link, waits: false) }
    }

    /// The connected link for an entry that waits, if there is one now.
    private func linkNow(for entry: WaitingEntry, _ now: Int64) -> RestoreLink? {
        guard let key = entry.bytes.getSlice(at: entry.note.key.lowerBound, length: entry.note.key.count) else {
            return nil
        }
        let slot = HashSlot.of(key.readableBytesSpan)
        guard let address = entry.asked ?? target.owner(ofSlot: slot) else {
            target.refreshTopology(now: now)
            return nil
        }
        let link = target.link(to: address, slot: slot)
        // Nothing comes between the pieces of a large value.
        if large?.link === link { return nil }
        return connect(link, now: now) && select(entry.note.header.database, on: link, now: now) ? link : nil
    }

    private func checkPatience(_ now: Int64) {
        if now - lastProgress > options.patienceMilliseconds { losePatience() }
    }

    /// Ends the run for want of progress.
    func losePatience() {
        let seconds = options.patienceMilliseconds / 1000
        let words = "no progress for \(seconds) s: \(lastWords.isEmpty ? "no reply" : lastWords)"
        end(.server(ServerError(.timeout, words)))
    }

    func keepPatience() { lastProgress = currentMilliseconds() }

    /// Patience begins when something is waited for.
    private func beginWaiting() {
        if framesInFlight == 0, waiting.isEmpty, doubts.isEmpty { keepPatience() }
    }

    /// The target took everything of these payloads but their form: the same by commands. Not from within the taking of
    /// events, since it may wait for some.
    private func sendRefused() {
        let entries = refused
        refused = []
        for entry in entries where stop == nil {
            bytesWaiting -= entry.byteCount
            do throws(DecodeError) { try sendAsCommands(entry.note, entry.bytes) } catch {
                fail(entry.note.header, key(entry.note, entry.bytes), .refused, error.message)
            }
        }
    }

    private func sendAsCommands(_ note: EntryNote, _ bytes: ByteBuffer) throws(DecodeError) {
        let key = key(note, bytes)
        guard let value = payloadValue(note, bytes),
            let type = RDBType(byte: note.header.typeByte, version: inputVersion)
        else { preconditionFailure("a payload that was sent") }
        var batch = EntryBatch()
        batch.append(note.header, type, key: key.rawSpan, value: value.readableBytesSpan)
        var reader = RDBReader(of: inputVersion)
        batch.place(&reader, at: 0)
        var byCommands = plan
        byCommands.form = .commands
        let slot = HashSlot.of(key.rawSpan)
        var builder = FrameBuilder(byCommands, EntryEncoder(byCommands))
        switch try builder.encode(
            &reader, note.header, key: key.rawSpan, isUncertain: note.isUncertain,
            temporaryKey: { temporaryKey(slot: slot) })
        {
        case .done:
            add(losses: builder.losses, note.header, key.rawSpan)
            let (made, notes, _, _) = builder.take()
            for note in notes { wait(note, made, words: "", delay: 0) }
        case .nothing: applied(note.header, .commands)
        case .lost: lose(note.header, key)
        case .oneFrame, .tooLarge:
            try reader.rewindToValue()
            let large = LargeValue(
                self, byCommands, note.header, key: key, slot: slot, isUncertain: note.isUncertain)
            try large.send(&reader)
        }
        withExtendedLifetime(batch) {}
    }

    /// Of the file that the entries come from.
    var inputVersion = RDBVersion(number: 6, family: .redis)

    // MARK: - Large values

    /// The value that goes straight from the input to a connection.
    var large: LargeFlow?

    /// Sends a piece of it, whose end `large` is told.
    func submitPiece(_ bytes: ByteBuffer, commandCount: Int, on link: RestoreLink) -> UInt64 {
        let frame = CommandFrame(id: nextFrame, bytes: bytes, commandCount: commandCount)
        nextFrame += 1
        summary.byteCount += UInt64(bytes.readableBytes)
        link.connection?.submit(frame)
        return frame.id
    }

    func add(losses: CommandLoss, _ header: EntryHeader, _ key: RawSpan) {
        if losses.isEmpty { return }
        summary.losses.add(losses, header, key: key)
        if losses.isOfData, checkpoint != nil { failedOffsets.append(header.startOffset) }
    }

    /// Ends a connection on which nothing more can be sent, and waits until that is known.
    func cut(_ link: RestoreLink) {
        link.connection?.close()
        let until = currentMilliseconds() + 2000
        while link.connection != nil, currentMilliseconds() < until { pump(milliseconds: 100) }
    }

    /// Waits a moment for what the target said was only for now.
    func waitBriefly(_ milliseconds: Int64, _ words: String) {
        lastWords = words
        let until = currentMilliseconds() + milliseconds
        while stop == nil {
            let now = currentMilliseconds()
            checkPatience(now)
            if now >= until { return }
            pump(milliseconds: Int(until - now))
        }
    }

    /// A command whose reply nobody waits for long: the run has ended.
    func tell(_ address: ServerAddress, _ database: UInt64, _ arguments: [[UInt8]]) {
        var bytes = ByteBuffer()
        bytes.writeCommand(arguments)
        target.openControl(address, database)?.submit(CommandFrame(id: 0, bytes: bytes, commandCount: 1))
        pump(milliseconds: 100)
    }

    /// One question besides the flow of entries; nil where it finds no answer.
    func ask(_ address: ServerAddress, _ database: UInt64, _ arguments: [[UInt8]]) -> RESPReply? {
        do throws(ServerError) {
            return try target.ask(address, database: database, arguments)
        } catch {
            lastWords = error.message
            return nil
        }
    }

    // MARK: - Checkpoints

    /// Before an entry is sent that lies behind what the checkpoint reserves.
    private func reserve(_ offset: UInt64) {
        guard let checkpoint, offset >= checkpoint.checkpoint.reserved else { return }
        position = offset
        save(checkpoint, sent: offset + CheckpointFile.reserveByteCount)
    }
    /// Where the run is in its input.
    var position: UInt64 = 0

    private func writeCheckpoint(_ now: Int64) {
        guard let checkpoint, now - lastCheckpoint >= 1000 else { return }
        save(checkpoint, sent: 0)
    }

    private func save(_ checkpoint: CheckpointFile, sent: UInt64) {
        lastCheckpoint = currentMilliseconds()
        let acknowledged = acknowledgedOffset
        // What failed behind it is tried again.
        let count = failedOffsets.count
        failedOffsets.removeAll { $0 < acknowledged }
        do throws(OutputError) {
            try checkpoint.write(
                acknowledged: acknowledged, sent: sent, failed: UInt64(count - failedOffsets.count))
        } catch { end(.checkpoint(error)) }
    }

    /// Every entry that begins before it is done with.
    private var acknowledgedOffset: UInt64 {
        var offset = min(position, heldOffset)
        for doubt in doubts { offset = min(offset, doubt.note.header.startOffset) }
        for link in target.allLinks { offset = min(offset, link.firstOffset) }
        for entry in waiting { offset = min(offset, entry.note.header.startOffset) }
        for entry in refused { offset = min(offset, entry.note.header.startOffset) }
        return offset
    }

    // MARK: - End

    /// Sends what is left and waits for all answers; after an interruption only for those that come soon.
    /// - Parameters:
    ///   - isWhole: the input was read to its end.
    ///   - position: where reading it ended.
    func finish(isWhole: Bool, position end: UInt64) {
        if isWhole, stop == nil { position = max(position, end) }
        keepPatience()
        let started = currentMilliseconds()
        while true {
            if stop == nil {
                sendRefused()
                for link in target.allLinks where !link.builder.isEmpty {
                    if connect(link, now: currentMilliseconds()) { submit(link) }
                }
            }
            let isIdle =
                framesInFlight == 0
                && (stop != nil || waiting.isEmpty && refused.isEmpty && doubts.isEmpty && allBuildersEmpty)
            if isIdle { break }
            if stop != nil, currentMilliseconds() - started > 2000 { break }
            checkPatience(currentMilliseconds())
            pump(milliseconds: 50)
        }
        guard let checkpoint else { return }
        if stop == nil, isWhole { checkpoint.remove() } else { save(checkpoint, sent: 0) }
    }

    private var allBuildersEmpty: Bool { target.allLinks.allSatisfy { $0.builder.isEmpty } }
}
