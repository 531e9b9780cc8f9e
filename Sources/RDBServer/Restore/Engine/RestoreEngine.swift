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
    let report: (RestoreFailure) -> Void
    let checkpoint: CheckpointFile?
    var summary = RestoreSummary()
    private(set) var stop: Stop?

    /// Of the file that the entries come from.
    var inputVersion = RDBVersion(number: 6, family: .redis)
    /// Where the run is in its input.
    var position: UInt64 = 0
    /// The value that goes straight from the input to a connection.
    var large: LargeFlow?

    private let slotTags = SlotTags()
    private let runNumber = UInt64.random(in: .min ... .max)
    private var temporaryCount: UInt64 = 0
    var nextFrame: UInt64 = 0
    var bytesInFlight = 0
    var framesInFlight = 0
    var waiting: [WaitingEntry] = []
    /// No entry of `waiting` is due before.
    var nextResend: Int64 = 0
    /// Entries whose payload the target did not take, to be sent as commands.
    var refused: [WaitingEntry] = []
    /// Of those that wait and those that were refused.
    var bytesWaiting = 0
    /// Keys that exist, perhaps by this run's own doing.
    var doubts: [Doubt] = []
    /// Of an entry that ended the run: another run with the checkpoint begins with it.
    var heldOffset = UInt64.max
    /// Offsets of entries that were not applied, or not as a whole, and are not counted in the checkpoint.
    var failedOffsets: [UInt64] = []
    var lastProgress = currentMilliseconds()
    /// When the last entry was done with: what the input takes from then on is not the target's silence.
    private var leftAt = currentMilliseconds()
    var lastCheckpoint = currentMilliseconds()
    var lastWords = ""
    var byteRate: RateLimit?
    private var entryRate: RateLimit?
    /// Frames are no larger, so that a low rate is kept within each second.
    private let frameByteCount: Int
    /// Why each database cannot be selected, nil where it can; as far as was asked.
    var databaseRefusals: [UInt64: String?] = [:]

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
            // Nothing may come between: events could put the link into another database.
            submit(link, waits: false)
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

    /// Why no module of the target reads the value that the reader stands at; nil where one may.
    private func missingModule(_ reader: inout RDBReader) throws(DecodeError) -> String? {
        guard let modules = plan.modules, reader.type == .module2 else { return nil }
        let name = try reader.moduleID().name
        return ModuleTypes.isMissing(name, modules, plan.target) ? "the target has no module \"\(name)\"" : nil
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
