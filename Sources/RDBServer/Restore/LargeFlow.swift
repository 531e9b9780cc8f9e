import NIOCore
import RDBKit

/// The commands of one large value on their way to a connection.
///
/// A value that is built under another name goes in transactions of whole commands, each of which renews the time that
/// the name has to live, and fails to find it if that was over:
///
///     MULTI  EXISTS name  … commands …  PEXPIRE name ms  EXEC
final class LargeFlow: CommandSink {
    private let engine: RestoreEngine
    let link: RestoreLink
    private let database: UInt64
    private var bytesInFlight = 0
    private var sizes: [UInt64: Int] = [:]
    private var replies: [RESPReply] = []
    private(set) var isBroken = false

    /// The name under which the value is built.
    private(set) var temporary: [UInt8]?
    /// It may go while it is built: with the last of its fields.
    private var mayVanish = false
    private(set) var hasVanished = false
    private var scanner = CommandScanner()
    private var isInTransaction = false
    private var transactionCount = 0
    /// Frames that end a transaction which begins with EXISTS.
    private var checkedFrames: Set<UInt64> = []
    private var lastTouch = currentMilliseconds()

    /// How long a half-built key stays when nobody works on it any more, and how often that is renewed where the
    /// transactions do not.
    private static let temporaryMilliseconds = 600_000
    private static let touchMilliseconds: Int64 = 60_000
    private static let maxReplies = 100

    init(_ engine: RestoreEngine, _ link: RestoreLink, _ database: UInt64) {
        self.engine = engine
        self.link = link
        self.database = database
        engine.large = self
        // What was built for the link so far goes first. Were the rate waited for here, what is sent again meanwhile could
        // put the link into another database.
        engine.submit(link, waits: false)
        isBroken = link.connection == nil
    }

    // MARK: - Out

    /// From now on commands build this key.
    func build(as name: [UInt8], mayVanish: Bool) {
        temporary = name
        self.mayVanish = mayVanish
    }

    /// For the one command that follows: the server takes it though its slot is still on the way to it.
    func asking() {
        var bytes = ByteBuffer()
        bytes.writeCommand("ASKING")
        submit(bytes, 1)
    }

    func take(_ commands: RawSpan, commandCount: Int) throws(OutputError) {
        if temporary == nil {
            submit(ByteBuffer(commands), commandCount)
        } else {
            takeIntoTransactions(commands)
        }
        engine.throttle(commands.byteCount)
        while !isBroken, engine.stop == nil, bytesInFlight > LargeValue.maxBytesInFlight {
            engine.pump(milliseconds: 100)
        }
        // Ends the writing; `finish` tells the cause.
        if isBroken || hasFailed || engine.stop != nil { throw .interrupted }
    }

    /// The connection is free for other entries again; one that is within a command is good for nothing more.
    func end() {
        if isInTransaction || !sizes.isEmpty, !isBroken, engine.stop == nil { engine.cut(link) }
        engine.large = nil
    }

    private var hasFailed: Bool { hasVanished || !isRenaming && !replies.isEmpty }

    /// A transaction ends with the last command that does, so that none is larger than what is taken at once and one
    /// command.
    private func takeIntoTransactions(_ commands: RawSpan) {
        let found = scanner.scan(commands)
        let end = found.lastEnd ?? 0
        if end > 0 {
            var bytes = ByteBuffer()
            var count = beginTransaction(&bytes) + found.begunBeforeEnd
            bytes.append(commands.extracting(first: end))
            bytes.writeCommand([Array("PEXPIRE".utf8), temporary ?? [], Array("\(Self.temporaryMilliseconds)".utf8)])
            bytes.writeCommand("EXEC")
            count += 2
            isInTransaction = false
            let frame = submit(bytes, count)
            if !mayVanish, transactionCount > 1 { checkedFrames.insert(frame) }
        }
        if end < commands.byteCount {
            var bytes = ByteBuffer()
            let count = beginTransaction(&bytes) + found.begun - found.begunBeforeEnd
            bytes.append(commands.extracting(droppingFirst: end))
            submit(bytes, count)
        }
    }

    /// - Returns: how many commands that took.
    private func beginTransaction(_ bytes: inout ByteBuffer) -> Int {
        if isInTransaction { return 0 }
        isInTransaction = true
        transactionCount += 1
        bytes.writeCommand("MULTI")
        bytes.writeCommand([Array("EXISTS".utf8), temporary ?? []])
        return 2
    }

    @discardableResult
    private func submit(_ bytes: ByteBuffer, _ commandCount: Int) -> UInt64 {
        let frame = engine.submitPiece(bytes, commandCount: commandCount, on: link)
        sizes[frame] = bytes.readableBytes
        bytesInFlight += bytes.readableBytes
        return frame
    }

    // MARK: - Answers

    /// A frame was answered, or the last byte of a piece was written.
    func completed(_ frame: UInt64, _ remarkable: [RemarkableReply]) {
        guard let size = sizes.removeValue(forKey: frame) else { return }
        bytesInFlight -= size
        let isChecked = checkedFrames.remove(frame) != nil
        var isGood = true
        for each in remarkable where replies.count < Self.maxReplies {
            if isRenaming {
                replies.append(each.reply)
            } else if let failure = Self.error(in: each.reply) {
                isGood = false
                replies.append(failure)
            } else if isChecked, let answers = each.reply.array, answers.first?.integer == 0 {
                isGood = false
                hasVanished = true
            }
            // Other numbers and nulls are answers like any other.
        }
        if isGood { engine.keepPatience() }
    }

    /// The first error in a reply or, of a transaction, in its replies.
    private static func error(in reply: RESPReply) -> RESPReply? {
        reply.isError ? reply : reply.array?.first { $0.isError }
    }

    func lost() { isBroken = true }

    /// Waits for all answers.
    func finish(_ form: RestoreForm) -> LargeValue.Outcome {
        while !sizes.isEmpty, !isBroken, !hasFailed, engine.stop == nil { engine.pump(milliseconds: 100) }
        if hasFailed {
            // In the midst of a command or of a transaction nothing else can be sent.
            if !sizes.isEmpty || isInTransaction { engine.cut(link) }
            // What the server said before it hung up is the better reason.
            if !replies.isEmpty { return .verdict(Verdict(form, replies: replies, endsInRename: false)) }
        }
        return isBroken || hasVanished || engine.stop != nil ? .lost : .verdict(.applied)
    }

    /// So that what is built, but waits for its next commands, does not go.
    func keepAlive(_ now: Int64) {
        guard let temporary, !isBroken, now - lastTouch >= Self.touchMilliseconds else { return }
        lastTouch = now
        _ = ask(["PEXPIRE"], [temporary, Array("\(Self.temporaryMilliseconds)".utf8)])
    }

    /// Asks on a connection besides; nil where that fails.
    func ask(_ words: [String], _ arguments: [[UInt8]]) -> RESPReply? {
        engine.ask(link.address, database, words.map { Array($0.utf8) } + arguments)
    }

    /// The value cannot be sent, and the run goes on without it.
    func giveUp() {
        guard let temporary else { return }
        _ = ask(["UNLINK"], [temporary])
    }

    /// The run ends: what is half built goes, as far as the server can still be told.
    func abandon() {
        guard let temporary else { return }
        engine.cut(link)
        engine.tell(link.address, database, [Array("UNLINK".utf8), temporary])
    }

    // MARK: - The end

    private var isRenaming = false

    /// Gives what was built its key, all at once.
    func rename(_ header: EntryHeader, to key: [UInt8], replaces: Bool) -> LargeValue.Outcome {
        guard let name = temporary else { preconditionFailure("nothing was built") }
        var bytes = ByteBuffer()
        bytes.writeCommand("MULTI")
        if let expiresAt = header.expiresAt {
            bytes.writeCommand([Array("PEXPIREAT".utf8), name, Array(String(expiresAt).utf8)])
        } else {
            bytes.writeCommand([Array("PERSIST".utf8), name])
        }
        // Not by RENAME itself, which would free what it replaces before it answers.
        if replaces { bytes.writeCommand([Array("UNLINK".utf8), key]) }
        bytes.writeCommand([Array((replaces ? "RENAME" : "RENAMENX").utf8), name, key])
        bytes.writeCommand([Array("UNLINK".utf8), name])
        bytes.writeCommand("EXEC")
        isRenaming = true
        replies = []
        submit(bytes, replaces ? 6 : 5)
        if case .lost = finish(.sliced) { return .lost }
        return outcome(of: replies, header, replaces: replaces)
    }

    private func outcome(of replies: [RESPReply], _ header: EntryHeader, replaces: Bool) -> LargeValue.Outcome {
        for reply in replies {
            if let text = reply.errorText, !text.hasPrefix("ERR no such key") {
                return .verdict(Verdict.ofError(text, .sliced))
            }
        }
        let answers = replies.lazy.compactMap(\.array).first ?? []
        if replies.contains(where: { $0.isError }) || answers.contains(where: { $0.isError }) {
            // Its own expiry may have come, or that of all its fields; else it was gone before.
            let hadName = answers.first?.integer == 1 && header.expiresAt != nil
            return hadName || mayVanish ? .verdict(.applied) : .lost
        }
        if !replaces, answers.count == 3, answers[1].integer == 0 { return .verdict(.conflict) }
        return .verdict(.applied)
    }
}

extension ByteBuffer {
    mutating func append(_ bytes: RawSpan) {
        // What is written is copied before the span ends.
        _ = unsafe bytes.withUnsafeBytes { unsafe writeBytes($0) }
    }
}
