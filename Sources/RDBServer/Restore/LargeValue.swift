import NIOCore
import RDBKit

/// An entry too large to be kept until it is answered: it goes straight from the input to the connection, a slice at a
/// time, and is read again from its beginning if the connection is lost.
///
/// By RESTORE it appears as a whole anyway. By commands it is built under another name and renamed at the end; until then
/// that name expires by itself, should the run be cut off.
struct LargeValue {
    private let engine: RestoreEngine
    private let header: EntryHeader
    private let key: [UInt8]
    private let slot: Int
    private let isUncertain: Bool
    private let plan: RestorePlan

    /// What may be on its way without an answer.
    static let maxBytesInFlight = 8 << 20
    /// How long a half-built key stays when nobody works on it any more.
    private static let temporaryMilliseconds = 3_600_000
    private static let maxAttempts = 20

    init(_ engine: RestoreEngine, _ header: EntryHeader, key: [UInt8], slot: Int, isUncertain: Bool) {
        self.engine = engine
        self.header = header
        self.key = key
        self.slot = slot
        self.isUncertain = isUncertain
        plan = engine.plan
    }

    /// Sends the value that the reader stands at and holds; afterwards the reader stands behind it.
    mutating func send(_ reader: inout RDBReader) throws(DecodeError) {
        // Sound to its end, or nothing of it is sent.
        var digest = EntryDigest(plan.comparedParts)
        digest.begin(header, key: key.rawSpan)
        try reader.readValue(into: &digest)
        let wanted = digest.finish()
        let valueByteCount = reader.offset - header.valueOffset
        let isRestorable = plan.form == .restore || plan.target.restores(reader.type, of: reader.version)
        // What only RESTORE can carry goes that way at any size.
        let restores =
            isRestorable && reader.type.isRestorable
            && (plan.form != .commands && valueByteCount <= engine.options.bigValueByteCount
                || header.type == .module)
        for attempt in 0..<Self.maxAttempts {
            guard let link = engine.readyLink(slot: slot) else { return }
            try reader.rewindToValue()
            let flow = LargeFlow(engine, link)
            let verdict =
                restores
                ? try restore(&reader, valueByteCount, flow)
                : try build(&reader, flow, isRetry: attempt > 0)
            guard let verdict else {
                if engine.stop != nil { return }
                engine.pump(milliseconds: 50)
                continue
            }
            engine.settleLarge(
                header, key, verdict, restores ? .restore : .sliced, isUncertain: isUncertain || attempt > 0,
                digest: wanted)
            if reader.offset - header.valueOffset != valueByteCount {
                try reader.rewindToValue()
                try reader.skipValue()
            }
            return
        }
        engine.fail(header, key, .refused, "the connection was lost again and again")
    }

    /// - Returns: nil where it has to be tried again.
    private func restore(
        _ reader: inout RDBReader, _ valueByteCount: UInt64, _ flow: LargeFlow
    ) throws(DecodeError) -> Verdict? {
        var options = CommandOptions()
        options.target = plan.target
        options.replaces = plan.onConflict == .replace
        var writer = CommandWriter(flow, options: options)
        selectDatabase(flow)
        writer.beginRestore(
            header, key: key.rawSpan, payloadByteCount: valueByteCount + 1 + UInt64(RDBReader.payloadFooterByteCount),
            now: plan.now)
        try reader.readPayload(valueByteCount: valueByteCount, into: &writer)
        writer.endRestore()
        writer.flush()
        return flow.finish(.restore, endsInRename: false)
    }

    private func build(
        _ reader: inout RDBReader, _ flow: LargeFlow, isRetry: Bool
    ) throws(DecodeError) -> Verdict? {
        let name = engine.temporaryKey(slot: slot)
        if plan.buildsAside, let exists = flow.ask(header.database, ["EXISTS"], [key]), exists.integer == 1 {
            return .conflict
        }
        var options = CommandOptions()
        options.target = plan.target
        var writer = CommandWriter(flow, options: options)
        selectDatabase(flow)
        flow.temporary = (header.database, name, Self.temporaryMilliseconds)
        var bare = header
        bare.expiresAt = nil
        writer.begin(bare, key: name.rawSpan)
        try reader.readValue(into: &writer)
        while writer.startAnotherPass() {
            try reader.rewindToValue()
            try reader.readValue(into: &writer)
        }
        if let refusal = writer.refusal { throw refusal }
        writer.end()
        writer.flush()
        engine.add(losses: writer.losses, header, key)
        // All commands must have gone well before the key gets its name.
        guard let verdict = flow.finish(.sliced, endsInRename: false) else { return nil }
        guard verdict == .applied else {
            _ = flow.ask(header.database, ["DEL"], [name])
            return verdict
        }
        return flow.rename(header, from: name, to: key, replaces: plan.onConflict == .replace)
    }

    private func selectDatabase(_ flow: LargeFlow) {
        flow.select(header.database)
    }
}

/// The commands of one large value on their way to a connection.
final class LargeFlow: CommandSink {
    private let engine: RestoreEngine
    let link: RestoreLink
    private var bytesInFlight = 0
    private var sizes: [UInt64: Int] = [:]
    private var replies: [RESPReply] = []
    private(set) var isBroken = false
    /// The name under which the value is built, which is given a time to live again and again.
    var temporary: (database: UInt64, key: [UInt8], milliseconds: Int)?
    private var lastTouch = currentMilliseconds()

    /// How often the time to live is renewed.
    private static let touchMilliseconds: Int64 = 60_000
    private static let maxReplies = 100

    init(_ engine: RestoreEngine, _ link: RestoreLink) {
        self.engine = engine
        self.link = link
        // What was built for the link so far goes first.
        engine.submit(link)
        engine.large = self
    }

    func take(_ commands: RawSpan, commandCount: Int) throws(OutputError) {
        submit(ByteBuffer(commands), commandCount)
        engine.throttle(commands.byteCount)
        while !isBroken, engine.stop == nil, bytesInFlight > LargeValue.maxBytesInFlight {
            engine.pump(milliseconds: 100)
        }
        touch()
        // Ends the writing; `finish` tells the cause.
        if isBroken || engine.stop != nil { throw .interrupted }
    }

    private func submit(_ bytes: ByteBuffer, _ commandCount: Int) {
        let frame = engine.submitPiece(bytes, commandCount: commandCount, on: link)
        sizes[frame] = bytes.readableBytes
        bytesInFlight += bytes.readableBytes
    }

    func select(_ database: UInt64) {
        guard link.database != database else { return }
        var bytes = ByteBuffer()
        bytes.writeCommand("SELECT", String(database))
        link.database = database
        submit(bytes, 1)
    }

    /// A frame was answered, or the last byte of a piece was written.
    func completed(_ frame: UInt64, _ remarkable: [RemarkableReply]) {
        guard let size = sizes.removeValue(forKey: frame) else { return }
        bytesInFlight -= size
        engine.keepPatience()
        for each in remarkable where replies.count < Self.maxReplies {
            // While the value is built, numbers and nulls are answers like any other.
            if each.reply.isError || isRenaming { replies.append(each.reply) }
        }
    }

    func lost() { isBroken = true }

    /// Waits for all answers.
    /// - Returns: nil where the connection was lost, or the run ends.
    func finish(_ form: RestoreForm, endsInRename: Bool) -> Verdict? {
        while !sizes.isEmpty, !isBroken, engine.stop == nil { engine.pump(milliseconds: 100) }
        if isBroken || engine.stop != nil {
            engine.large = nil
            return nil
        }
        return Verdict(form, replies: replies, endsInRename: endsInRename)
    }

    /// So that a key that is never finished goes away by itself.
    private func touch() {
        guard let temporary, currentMilliseconds() - lastTouch >= Self.touchMilliseconds else { return }
        lastTouch = currentMilliseconds()
        _ = ask(
            temporary.database, ["PEXPIRE"], [temporary.key, Array(String(temporary.milliseconds).utf8)])
    }

    /// Asks on a connection besides; nil where that fails.
    func ask(_ database: UInt64, _ words: [String], _ arguments: [[UInt8]]) -> RESPReply? {
        engine.ask(link.address, database, words.map { Array($0.utf8) } + arguments)
    }

    /// Gives what was built its key, all at once.
    func rename(_ header: EntryHeader, from name: [UInt8], to key: [UInt8], replaces: Bool) -> Verdict? {
        var bytes = ByteBuffer()
        bytes.writeCommand("MULTI")
        if let expiresAt = header.expiresAt {
            bytes.writeCommand([Array("PEXPIREAT".utf8), name, Array(String(expiresAt).utf8)])
        } else {
            bytes.writeCommand([Array("PERSIST".utf8), name])
        }
        bytes.writeCommand([Array((replaces ? "RENAME" : "RENAMENX").utf8), name, key])
        bytes.writeCommand([Array("DEL".utf8), name])
        bytes.writeCommand("EXEC")
        isRenaming = true
        submit(bytes, 5)
        return finish(.sliced, endsInRename: !replaces)
    }
    private var isRenaming = false
}
