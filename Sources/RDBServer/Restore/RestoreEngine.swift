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
    private var bytesWaiting = 0
    private var lastProgress = currentMilliseconds()
    private var lastCheckpoint = currentMilliseconds()
    private var lastWords = ""
    private var byteRate: RateLimit?
    private var entryRate: RateLimit?
    /// Whether each database can be selected, as far as was asked.
    private var usableDatabases: [UInt64: Bool] = [:]
    /// Whether functions are there.
    var hasFunctions = false

    init(
        _ target: RestoreTarget, plan: RestorePlan, options: RestoreOptions, checkpoint: CheckpointFile?,
        report: @escaping (RestoreFailure) -> Void
    ) {
        self.target = target
        self.plan = plan
        self.options = options
        self.checkpoint = checkpoint
        self.report = report
        hasFunctions = checkpoint?.checkpoint.hasFunctions ?? false
        let now = currentMilliseconds()
        byteRate = options.maxBytesPerSecond.map { RateLimit(perSecond: $0, now: now) }
        entryRate = options.maxEntriesPerSecond.map { RateLimit(perSecond: $0, now: now) }
    }

    func end(_ reason: Stop) {
        if stop == nil { stop = reason }
    }

    /// Entries before it are known to be at the target, those before the second may be.
    var resumeOffsets: (acknowledged: UInt64, reserved: UInt64) {
        guard let checkpoint, checkpoint.isResumed else { return (0, 0) }
        return (resumedFrom.0, resumedFrom.1)
    }
    private lazy var resumedFrom = (checkpoint?.checkpoint.acknowledged ?? 0, checkpoint?.checkpoint.reserved ?? 0)

    // MARK: - Entries

    /// Sends the entry that the reader stands at, or keeps it for a frame.
    func add(_ reader: inout RDBReader, _ header: EntryHeader, key: RawSpan) throws(DecodeError) {
        guard canUse(database: header.database) else {
            fail(header, key.array, .lost, "the target has no database \(header.database)")
            return try reader.skipValue()
        }
        if options.isDryRun { return try plan(&reader, header, key: key) }
        let isUncertain = header.startOffset < resumeOffsets.reserved
        reserve(header.startOffset)
        let slot = HashSlot.of(key)
        guard let link = readyLink(slot: slot) else { return }
        select(header.database, on: link)
        let isLarge = reader.type.valueType != .string && plan.form(of: reader.type, header, reader.version) == .sliced
        let encoding =
            isLarge
            ? .tooLarge
            : try link.builder.encode(&reader, header, key: key, isUncertain: isUncertain) {
                temporaryKey(slot: slot)
            }
        switch encoding {
        case .done:
            let losses = link.builder.losses
            if !losses.isEmpty { summary.losses.add(losses, header, key: key) }
            if link.builder.isFull { submit(link) }
        case .lost:
            summary.losses.add(.value, header, key: key)
            fail(header, key.array, .lost, "the target has no such type")
        case .tooLarge:
            try reader.rewindToValue()
            var value = LargeValue(self, header, key: key.array, slot: slot, isUncertain: isUncertain)
            try value.send(&reader)
        }
        pump(milliseconds: 0)
        while stop == nil, isOverfull { pump(milliseconds: 100) }
        if let wait = entryRate?.take(1, now: currentMilliseconds()), wait > 0 {
            // What is built goes out now: otherwise a slow rate would send frames of many entries now and then.
            for link in target.allLinks { submit(link) }
            pause(wait)
        }
    }

    private var isOverfull: Bool {
        bytesInFlight + bytesWaiting > Self.maxBytesInFlight || framesInFlight > Self.maxFramesInFlight
    }

    /// What would be done with the entry.
    private func plan(_ reader: inout RDBReader, _ header: EntryHeader, key: RawSpan) throws(DecodeError) {
        var nobody = NullVisitor()
        try reader.readValue(into: &nobody)
        let byteCount = reader.offset - header.valueOffset
        var form = plan.form(of: reader.type, header, reader.version)
        if form != .restore, byteCount > UInt64(ByteWindow.maxContiguousByteCount) { form = .sliced }
        applied(header, form)
        summary.byteCount += byteCount
    }

    func temporaryKey(slot: Int) -> [UInt8] {
        temporaryCount += 1
        return slotTags.temporaryKey(slot: slot, run: runNumber, number: temporaryCount)
    }

    private func canUse(database: UInt64) -> Bool {
        if let known = usableDatabases[database] { return known }
        var isUsable = true
        if database != 0, let server = target.servers.first {
            // What a SELECT in the flow refuses would put all that follows into another database.
            do throws(ServerError) {
                let reply = try target.ask(server, "SELECT", String(database))
                isUsable = reply.isOK
                _ = try target.ask(server, "SELECT", "0")
            } catch {
                end(.server(error))
                return true
            }
        }
        usableDatabases[database] = isUsable
        return isUsable
    }

    /// A connected link for the slot; waits while there is none. Nil when the run has to end.
    func readyLink(slot: Int) -> RestoreLink? {
        while stop == nil {
            let now = currentMilliseconds()
            if let address = target.owner(ofSlot: slot) {
                let link = target.link(to: address, slot: slot)
                if connect(link, now: now) { return link }
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
        guard let error = target.connect(link, now: now) else { return true }
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

    private func select(_ database: UInt64, on link: RestoreLink) {
        if link.database == database { return }
        // A fresh connection is in database 0.
        if link.database != nil || database != 0 { link.builder.append(["SELECT"], decimal: database) }
        link.database = database
    }

    // MARK: - Functions

    /// Loads a library on every server.
    func load(_ library: FunctionLibrary) {
        if options.isDryRun {
            summary.functions.applied += 1
            return
        }
        // An earlier run did it.
        if stop != nil || hasFunctions && resumeOffsets.acknowledged > 0 { return }
        guard plan.target.hasFunctions, !library.code.isCut else {
            summary.losses.add(library)
            summary.functions.failed += 1
            return
        }
        let replaces = options.onConflict == .replace
        var words = [Array("FUNCTION".utf8), Array("LOAD".utf8)]
        if replaces { words.append(Array("REPLACE".utf8)) }
        words.append(library.source)
        for server in target.servers {
            do throws(ServerError) {
                let reply = try target.ask(server, words)
                guard let text = reply.errorText else { continue }
                if text.contains("already exists"), checkpoint?.isResumed == true { continue }
                if text.contains("already exists"), options.onConflict == .skip {
                    summary.functions.skipped += 1
                    return
                }
                summary.functions.failed += 1
                report(
                    RestoreFailure(
                        database: 0, key: Array(library.name.utf8), type: .module, offset: 0,
                        reason: text.contains("already exists") ? .exists : .refused, message: text))
                if text.contains("already exists") { end(.conflict) }
                return
            } catch { return end(.server(error)) }
        }
        summary.functions.applied += 1
        hasFunctions = true
    }

    // MARK: - Frames

    /// Sends what the link has built.
    func submit(_ link: RestoreLink) {
        guard !link.builder.isEmpty, let connection = link.connection else { return }
        let (bytes, notes, commandCount, firstOffset) = link.builder.take()
        let frame = CommandFrame(id: nextFrame, bytes: bytes, commandCount: commandCount)
        nextFrame += 1
        link.sent[frame.id] = RestoreLink.SentFrame(bytes: bytes, notes: notes, firstOffset: firstOffset)
        bytesInFlight += bytes.readableBytes
        framesInFlight += 1
        summary.byteCount += UInt64(bytes.readableBytes)
        connection.submit(frame)
        throttle(bytes.readableBytes)
    }

    func throttle(_ byteCount: Int) {
        if let wait = byteRate?.take(byteCount, now: currentMilliseconds()), wait > 0 { pause(wait) }
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
        let now = currentMilliseconds()
        resend(now)
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
            guard let sent = remove(each.frame, link) else { continue }
            settle(sent, each.remarkable, answered: each.answeredCount, link)
        }
        // What was being built was not sent, but its SELECT belongs to the connection that is gone.
        let (bytes, notes, _, _) = link.builder.take()
        for note in notes { wait(note, bytes, words: error.message, delay: 0) }
        target.drop(link)
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
            if let found = ClusterRedirection(errorText: text, asked: link.address) {
                target.note(movedSlot: found.slot, to: found.address)
            }
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
            wait(note, bytes, words: text, delay: min(1000, 20 << Int64(min(note.attempts, 6))))
            target.refreshTopology(now: currentMilliseconds())
        case .payloadRefused(let text): sendAsCommands(note, bytes, text)
        case .failed(let text): fail(note.header, key(note, bytes), .refused, text)
        case .hopeless(let text):
            if target.isCluster, text.hasPrefix("READONLY") {
                // A failover has made another server the owner.
                target.refreshTopology(now: currentMilliseconds())
                return wait(note, bytes, words: text, delay: 100)
            }
            fail(note.header, key(note, bytes), .refused, text)
            end(.server(ServerError(.refused(reply: text), "\(link.address): \(text)")))
        }
    }

    private func key(_ note: EntryNote, _ bytes: ByteBuffer) -> [UInt8] {
        bytes.getBytes(at: note.key.lowerBound, length: note.key.count) ?? []
    }

    func applied(_ header: EntryHeader, _ form: RestoreForm) {
        summary.byType[header.type, default: .init()].applied += 1
        summary.byForm[form, default: 0] += 1
        lastProgress = currentMilliseconds()
    }

    func fail(_ header: EntryHeader, _ key: [UInt8], _ reason: RestoreFailure.Reason, _ message: String) {
        summary.byType[header.type, default: .init()].failed += 1
        report(
            RestoreFailure(
                database: header.database, key: key, type: header.type, offset: header.startOffset, reason: reason,
                message: message))
    }

    private func conflict(_ note: EntryNote, _ bytes: ByteBuffer) {
        conflict(note.header, key(note, bytes), isUncertain: note.isUncertain, form: note.form) { [self] in
            isThere(note, bytes)
        }
    }

    /// The key exists.
    /// - Parameter isSame: whether it holds what was to be put there; asked only where an unseen reply may be the cause.
    func conflict(
        _ header: EntryHeader, _ key: [UInt8], isUncertain: Bool, form: RestoreForm, isSame: () -> Bool
    ) {
        if isUncertain, isSame() { return applied(header, form) }
        if options.onConflict == .skip {
            summary.byType[header.type, default: .init()].skipped += 1
            lastProgress = currentMilliseconds()
        } else {
            fail(header, key, .exists, "the key exists at the target")
            end(.conflict)
        }
    }

    /// Whether the key holds what the entry's commands would put there: then they did, unseen.
    private func isThere(_ note: EntryNote, _ bytes: ByteBuffer) -> Bool {
        let key = key(note, bytes)
        let readBack = ReadBack(self)
        var digest: Digest128?
        switch note.form {
        case .restore:
            guard let value = payloadValue(note, bytes) else { return false }
            digest = readBack.digest(
                note.header, inputVersion, key: key, value: value.readableBytesSpan)
        case .batched, .set:
            guard let value = Self.setValue(note, bytes) else { return false }
            digest = readBack.digest(string: value.readableBytesSpan, note.header, key: key)
        case .commands, .sliced: digest = note.digest
        }
        guard let digest else { return false }
        return readBack.holds(key, note.header, digest)
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
        var note = note
        note.attempts += 1
        if !words.isEmpty { lastWords = words }
        // Its own bytes only: the frame around them may be much larger.
        let own = note.bytes
        guard let slice = bytes.getSlice(at: own.lowerBound, length: own.count) else { return }
        var copy = ByteBuffer()
        copy.writeImmutableBuffer(slice)
        note.bytes = 0..<own.count
        note.key = note.key.lowerBound - own.lowerBound..<note.key.upperBound - own.lowerBound
        if note.form == .restore {
            note.payload = note.payload.lowerBound - own.lowerBound..<note.payload.upperBound - own.lowerBound
        } else {
            note.payload = 0..<0
        }
        bytesWaiting += own.count
        waiting.append(
            WaitingEntry(
                note: note, bytes: copy, notBefore: currentMilliseconds() + delay, asked: asked, words: words))
    }

    private func resend(_ now: Int64) {
        guard !waiting.isEmpty, stop == nil else { return }
        checkPatience(now)
        var rest: [WaitingEntry] = []
        var used: Set<ObjectIdentifier> = []
        var links: [RestoreLink] = []
        for entry in waiting {
            guard entry.notBefore <= now, let link = linkNow(for: entry, now) else {
                rest.append(entry)
                continue
            }
            bytesWaiting -= entry.bytes.readableBytes
            select(entry.note.header.database, on: link)
            link.builder.append(entry.note, of: entry.bytes, asking: entry.asked != nil)
            if used.insert(ObjectIdentifier(link)).inserted { links.append(link) }
            if link.builder.isFull { submit(link) }
        }
        waiting = rest
        for link in links { submit(link) }
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
        return connect(link, now: now) ? link : nil
    }

    private func checkPatience(_ now: Int64) {
        if now - lastProgress > options.patienceMilliseconds {
            end(
                .server(
                    ServerError(
                        .timeout,
                        "no progress for \(options.patienceMilliseconds / 1000) s: \(lastWords.isEmpty ? "no reply" : lastWords)"
                    )))
        }
    }

    func keepPatience() { lastProgress = currentMilliseconds() }

    /// An entry of a large value is settled.
    func settleLarge(
        _ header: EntryHeader, _ key: [UInt8], _ verdict: Verdict, _ form: RestoreForm, isUncertain: Bool,
        digest: Digest128?
    ) {
        switch verdict {
        case .applied: applied(header, form)
        case .conflict:
            conflict(header, key, isUncertain: isUncertain, form: form) {
                digest.map { ReadBack(self).holds(key, header, $0) } ?? false
            }
        case .failed(let text), .payloadRefused(let text), .later(let text), .moved(let text), .ask(let text):
            fail(header, key, .refused, text)
        case .splitBatch: break
        case .hopeless(let text):
            fail(header, key, .refused, text)
            end(.server(ServerError(.refused(reply: text), text)))
        }
    }

    /// The target took everything of this payload but its form: the same by commands.
    private func sendAsCommands(_ note: EntryNote, _ bytes: ByteBuffer, _ words: String) {
        let key = key(note, bytes)
        guard options.form == .auto, !note.refusesPayload, let value = payloadValue(note, bytes),
            let type = RDBType(byte: note.header.typeByte, version: inputVersion),
            let link = readyLink(slot: HashSlot.of(key.rawSpan))
        else { return fail(note.header, key, .refused, words) }
        var batch = EntryBatch()
        batch.append(note.header, type, key: key.rawSpan, value: value.readableBytesSpan)
        var reader = RDBReader(of: inputVersion)
        batch.place(&reader, at: 0)
        select(note.header.database, on: link)
        var commandsOnly = plan
        commandsOnly.form = .commands
        var builder = FrameBuilder(commandsOnly)
        do throws(DecodeError) {
            let slot = HashSlot.of(key.rawSpan)
            let encoding = try builder.encode(
                &reader, note.header, key: key.rawSpan, isUncertain: note.isUncertain
            ) { temporaryKey(slot: slot) }
            guard case .done = encoding else { return fail(note.header, key, .refused, words) }
        } catch { return fail(note.header, key, .refused, words) }
        let losses = builder.losses
        if !losses.isEmpty { summary.losses.add(losses, note.header, key: key.rawSpan) }
        let (made, notes, _, _) = builder.take()
        for var made_note in notes {
            made_note.refusesPayload = true
            wait(made_note, made, words: "", delay: 0)
        }
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

    func add(losses: CommandLoss, _ header: EntryHeader, _ key: [UInt8]) {
        if !losses.isEmpty { summary.losses.add(losses, header, key: key.rawSpan) }
    }

    /// One question besides the flow of entries; nil where it finds no answer.
    func ask(_ address: ServerAddress, _ database: UInt64, _ arguments: [[UInt8]]) -> RESPReply? {
        do throws(ServerError) {
            if !target.isCluster { _ = try target.ask(address, "SELECT", String(database)) }
            return try target.ask(address, arguments)
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
        do throws(OutputError) {
            try checkpoint.write(acknowledged: acknowledgedOffset, sent: sent, hasFunctions: hasFunctions)
        } catch { end(.checkpoint(error)) }
    }

    /// Every entry that begins before it is done with.
    private var acknowledgedOffset: UInt64 {
        var offset = position
        for link in target.allLinks { offset = min(offset, link.firstOffset) }
        for entry in waiting { offset = min(offset, entry.note.header.startOffset) }
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
                for link in target.allLinks where !link.builder.isEmpty {
                    if connect(link, now: currentMilliseconds()) { submit(link) }
                }
            }
            let isIdle = framesInFlight == 0 && (stop != nil || waiting.isEmpty && allBuildersEmpty)
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
