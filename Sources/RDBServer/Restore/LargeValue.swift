import NIOCore
import RDBKit

/// An entry too large to be kept until it is answered: it goes straight from the input to the connection, a slice at a
/// time, and is read again from its beginning if the connection is lost.
///
/// By RESTORE it appears as a whole anyway. By commands it is built under another name and renamed at the end; that name
/// expires by itself at every moment, should the run be cut off.
struct LargeValue {
    private let engine: RestoreEngine
    private let header: EntryHeader
    private let key: [UInt8]
    private let slot: Int
    private let isUncertain: Bool
    private let plan: RestorePlan

    /// What may be on its way without an answer.
    static let maxBytesInFlight = 8 << 20
    /// That an attempt may end by the loss of its connection, and by that of the key under which it is built.
    private static let maxLosses = 100
    private static let maxVanished = 20
    /// Servers take no longer argument by their default settings.
    private static let maxPayloadByteCount: UInt64 = 511 << 20

    /// What became of an attempt.
    enum Outcome {
        case verdict(Verdict)
        /// The connection was lost, or the half-built key was: once more.
        case lost
        /// The target has no such type.
        case noForm

        /// The server sent it elsewhere, or asked for patience.
        var isForNow: Bool {
            switch self {
            case .verdict(.moved), .verdict(.ask), .verdict(.later): true
            default: false
            }
        }
    }

    init(
        _ engine: RestoreEngine, _ plan: RestorePlan, _ header: EntryHeader, key: [UInt8], slot: Int, isUncertain: Bool
    ) {
        self.engine = engine
        self.plan = plan
        self.header = header
        self.key = key
        self.slot = slot
        self.isUncertain = isUncertain
    }

    // MARK: - Which way

    /// - Parameter byteCount: of the value in the file.
    private func restores(_ reader: borrowing RDBReader, _ byteCount: UInt64) -> Bool {
        // What only RESTORE can carry goes that way at any size.
        if header.type == .module { return true }
        return plan.restores(reader.type, of: reader.version)
            && byteCount <= min(engine.options.bigValueByteCount, Self.maxPayloadByteCount)
    }

    /// How the value that the reader stands at would go; afterwards the reader stands behind it.
    func plan(_ reader: inout RDBReader) throws(DecodeError) -> (RestoreForm, byteCount: UInt64) {
        var nobody = NullVisitor()
        try reader.readValue(into: &nobody)
        let byteCount = reader.offset - header.valueOffset
        return (restores(reader, byteCount) ? .restore : .sliced, byteCount)
    }

    // MARK: - Sending

    /// Sends the value that the reader stands at and holds; afterwards the reader stands behind it, unless the run ends.
    func send(_ reader: inout RDBReader) throws(DecodeError) {
        // Sound to its end, or nothing of it is sent.
        var digest = ComparedDigest(plan)
        var expected = ReadBack.Expected(
            header: header, key: key, digest: try digest.digest(&reader, header, key: key.rawSpan))
        let byteCount = reader.offset - header.valueOffset
        if byteCount > ReadBack.maxPayloadByteCount {
            try reader.rewindToValue()
            expected.size = try SizeVisitor.size(of: &reader)
        }
        try send(&reader, expected, byteCount)
        if engine.stop == nil, reader.offset - header.valueOffset != byteCount {
            try reader.rewindToValue()
            try reader.skipValue()
        }
    }

    private func send(
        _ reader: inout RDBReader, _ expected: ReadBack.Expected, _ byteCount: UInt64
    ) throws(DecodeError) {
        var restores = restores(reader, byteCount)
        var isUncertain = isUncertain
        var lossCount = 0
        var vanishedCount = 0
        var refusedSince: Int64?
        var delay: Int64 = 50
        var leftover: [UInt8]?
        var asked: ServerAddress?
        while let link = engine.readyLink(slot: slot, database: header.database, at: asked) {
            let flow = LargeFlow(engine, link, header.database)
            if let name = leftover {
                // Of an attempt that was cut off; it would go by itself, but its memory may be wanted before.
                _ = flow.ask(["UNLINK"], [name])
                leftover = nil
            }
            let outcome = try attempt(&reader, byteCount, flow, restores, isAsking: asked != nil)
            asked = nil
            if engine.stop != nil {
                flow.abandon()
                return
            }
            let form: RestoreForm = restores ? .restore : .sliced
            if outcome.isForNow {
                // What was written meanwhile was for nothing: it is no progress.
                let now = currentMilliseconds()
                if now - (refusedSince ?? now) > engine.options.patienceMilliseconds { return engine.losePatience() }
                refusedSince = refusedSince ?? now
            } else {
                refusedSince = nil
            }
            switch outcome {
            case .verdict(.applied): return engine.applied(header, form)
            case .verdict(.conflict):
                guard isUncertain else { return engine.exists(header, key) }
                switch try found(&reader, expected, at: link.address) {
                case .same: return engine.applied(header, form)
                case .other: return engine.exists(header, key)
                case .unknown(let words): engine.waitBriefly(delay, words)
                }
            case .verdict(.payloadRefused) where restores && plan.form == .auto && header.type != .module:
                restores = false
            case .verdict(.ask(let words)) where restores:
                asked = ClusterRedirection(errorText: words, asked: link.address)?.address
                engine.waitBriefly(delay - 50, words)
                delay = min(1000, delay * 2)
            case .verdict(.later(let words)), .verdict(.ask(let words)):
                // What is built of many commands waits for its slot to settle.
                engine.waitBriefly(delay, words)
                delay = min(1000, delay * 2)
            case .verdict(.moved(let words)):
                engine.target.note(redirection: words, from: link.address)
                engine.waitBriefly(delay, words)
                delay = min(1000, delay * 2)
            case .verdict(.hopeless(let words)): return engine.refuseAll(header, key, words, link.address)
            case .verdict(.failed(let words)), .verdict(.payloadRefused(let words)), .verdict(.gone(let words)):
                return engine.fail(header, key, .refused, words)
            case .verdict(.splitBatch): preconditionFailure("a large value is in no batch")
            case .lost:
                isUncertain = true
                if flow.hasVanished { vanishedCount += 1 } else { lossCount += 1 }
                if vanishedCount >= Self.maxVanished {
                    return engine.fail(
                        header, key, .refused,
                        "the half-built key was gone again and again: does the target evict keys?")
                }
                if lossCount >= Self.maxLosses {
                    return engine.fail(
                        header, key, .refused, "the connection was lost \(lossCount) times while this value was sent")
                }
            case .noForm: return engine.lose(header, key)
            }
            leftover = flow.temporary
        }
    }

    /// What is at the key that exists, perhaps by an attempt whose end was not seen.
    private func found(
        _ reader: inout RDBReader, _ expected: ReadBack.Expected, at server: ServerAddress
    ) throws(DecodeError) -> ReadBack.Match {
        let readBack = ReadBack(engine)
        guard expected.size != nil else { return readBack.compare([expected], at: server)[0] }
        try reader.rewindToValue()
        var uncompared: UInt64 = 0
        return try readBack.compareLarge(&reader, expected, patienceMilliseconds: 0, uncompared: &uncompared)
    }

    private func attempt(
        _ reader: inout RDBReader, _ byteCount: UInt64, _ flow: LargeFlow, _ restores: Bool, isAsking: Bool
    ) throws(DecodeError) -> Outcome {
        defer { flow.end() }
        if plan.buildsAside {
            // Before a large value is sent for nothing.
            let answer = flow.ask(["EXISTS"], [key])
            if let text = answer?.errorText, case .later = Verdict.ofError(text, .set) {
                return .verdict(.later(text))
            }
            if answer?.integer == 1 { return .verdict(.conflict) }
        }
        try reader.rewindToValue()
        if isAsking { flow.asking() }
        return restores ? try restore(&reader, byteCount, flow) : try build(&reader, flow)
    }

    private func restore(
        _ reader: inout RDBReader, _ valueByteCount: UInt64, _ flow: LargeFlow
    ) throws(DecodeError) -> Outcome {
        var options = CommandOptions()
        options.target = plan.target
        options.replaces = plan.onConflict == .replace
        var writer = CommandWriter(flow, options: options)
        writer.beginRestore(
            header, key: key.rawSpan, payloadByteCount: valueByteCount + 1 + UInt64(RDBReader.payloadFooterByteCount),
            now: plan.now)
        try reader.readPayload(valueByteCount: valueByteCount, into: &writer)
        writer.endRestore()
        writer.flush()
        return flow.finish(.restore)
    }

    private func build(_ reader: inout RDBReader, _ flow: LargeFlow) throws(DecodeError) -> Outcome {
        let name = engine.temporaryKey(slot: slot)
        var options = CommandOptions()
        options.target = plan.target
        // One command, and so the time that the server is busy with it, is no larger than this.
        options.maxCommandByteCount = min(1 << 20, max(1024, plan.maxByteCount))
        options.splitsStrings = true
        options.stagingByteCount = 128 << 10
        var writer = CommandWriter(flow, options: options)
        flow.build(as: name, mayVanish: header.hasFieldExpiries)
        var bare = header
        bare.expiresAt = nil
        writer.begin(bare, key: name.rawSpan)
        if writer.losses.contains(.value) { return .noForm }
        try reader.readValue(into: &writer)
        while writer.startAnotherPass() {
            try reader.rewindToValue()
            try reader.readValue(into: &writer)
        }
        if let refusal = writer.refusal { throw refusal }
        writer.end()
        writer.flush()
        // All commands must have gone well before the key gets its name.
        let built = flow.finish(.sliced)
        guard case .verdict(.applied) = built else {
            if case .verdict = built { _ = flow.ask(["UNLINK"], [name]) }
            return built
        }
        let outcome = flow.rename(header, to: key, replaces: plan.onConflict == .replace)
        if case .verdict(.applied) = outcome { engine.add(losses: writer.losses, header, key.rawSpan) }
        return outcome
    }
}
