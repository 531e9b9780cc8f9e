import NIOCore
import RDBKit

/// What a frame of one connection is made of, until it is sent.
///
/// Plain strings without an expiry are gathered into MSETs, which cost a server a third of single SETs; packed values go
/// as RESTORE with the bytes of the file; what the target cannot take so goes as commands in a transaction.
struct FrameBuilder: ~Copyable {
    private var out = OutputBuffer(capacity: 64 << 10)
    private(set) var notes: [EntryNote] = []
    private(set) var commandCount = 0
    /// Keys and values of the batch, which goes out as one command behind all else.
    private var pairs = OutputBuffer(capacity: 16 << 10)
    private var pairNotes: [EntryNote] = []
    private let encoder: EntryEncoder
    private let plan: RestorePlan
    /// The lowest offset in the input of its entries.
    private(set) var firstOffset = UInt64.max

    /// A larger payload goes straight from the input to the connection.
    static let maxPayloadByteCount: UInt64 = 8 << 20
    static let fullByteCount = 192 << 10
    static let fullEntryCount = 2048
    private static let maxBatchCount = 512

    enum Encoding {
        case done
        /// It is a frame by itself: `encodeFrame`.
        case oneFrame
        /// It has to be sent by itself, straight from the input.
        case tooLarge
        /// A collection without elements, which no server keeps.
        case nothing
        /// The target has no such type.
        case lost
    }

    init(_ plan: RestorePlan, _ encoder: EntryEncoder) {
        self.plan = plan
        self.encoder = encoder
    }

    var isEmpty: Bool { notes.isEmpty && pairNotes.isEmpty && commandCount == 0 }
    var byteCount: Int { out.byteCount + pairs.byteCount }
    var entryCount: Int { notes.count + pairNotes.count }
    var isFull: Bool { byteCount >= Self.fullByteCount || entryCount >= Self.fullEntryCount }
    /// What commands could not carry of the entry encoded last.
    private(set) var losses: CommandLoss = []

    private mutating func appendCommand(_ words: [StaticString]) {
        out.beginCommand(words.count)
        for word in words { out.appendArgument(word) }
        commandCount += 1
    }

    // MARK: - Entries

    /// Encodes the entry that the reader stands at, whose value it holds.
    /// - Parameters:
    ///   - header, key: as they shall be at the target.
    ///   - temporaryKey: a name in the key's slot, should it be needed.
    mutating func encode(
        _ reader: inout RDBReader, _ header: EntryHeader, key: RawSpan, isUncertain: Bool,
        temporaryKey: () -> [UInt8]
    ) throws(DecodeError) -> Encoding {
        var note = EntryNote(header: header, form: .restore)
        note.isUncertain = isUncertain
        losses = []
        switch plan.form(of: reader.type, header, reader.version) {
        case .batched, .set:
            encoder.strings.begin()
            try reader.readValue(into: &encoder.strings)
            if encoder.strings.isTooLarge || encoder.strings.bytes.byteCount > plan.maxByteCount {
                return large(reader)
            }
            appendString(note, header, key)
        case .restore:
            // A payload has a checksum of its own: what is damaged must not be passed on as sound.
            var nobody = NullVisitor()
            try reader.readValue(into: &nobody)
            if reader.payloadByteCount > UInt64(plan.maxByteCount) { return large(reader) }
            guard appendRestore(&reader, note, header, key) else { return large(reader) }
        case .commands, .sliced:
            let name = plan.buildsAside ? temporaryKey() : key.array
            var bare = header
            if plan.buildsAside { bare.expiresAt = nil }
            encoder.writer.removeAll()
            encoder.writer.begin(bare, key: name.rawSpan)
            if encoder.writer.losses.contains(.value) {
                try reader.skipValue()
                return .lost
            }
            try reader.readValue(into: &encoder.writer)
            while encoder.writer.startAnotherPass() {
                if encoder.writer.isTooLarge { return .tooLarge }
                try reader.rewindToValue()
                try reader.readValue(into: &encoder.writer)
            }
            if encoder.writer.isTooLarge { return .tooLarge }
            if let refusal = encoder.writer.refusal { throw refusal }
            encoder.writer.end()
            if encoder.writer.commandCount == 0 { return .nothing }
            if encoder.writer.byteCount > plan.maxByteCount { return .tooLarge }
            losses = encoder.writer.losses
            if plan.buildsAside {
                // Should the answer get lost, this tells whether what is there then is this.
                encoder.digest.fieldsExpireAfter = plan.comparedFieldExpiry
                encoder.digest.begin(header, key: key)
                try reader.rewindToValue()
                try reader.readValue(into: &encoder.digest)
                note.digest = encoder.digest.finish()
            }
            appendTransaction(note, header, key, name)
        }
        return .done
    }

    /// For an entry that was read to its end.
    private func large(_ reader: borrowing RDBReader) -> Encoding {
        plan.restores(reader.type, of: reader.version) && reader.payloadByteCount <= plan.maxPayloadByteCount
            ? .oneFrame : .tooLarge
    }

    /// The entry whose value was just read to its end, by RESTORE, as a frame of its own.
    func encodeFrame(
        _ reader: inout RDBReader, _ header: EntryHeader, key: RawSpan, isUncertain: Bool
    ) throws(DecodeError) -> (ByteBuffer, EntryNote) {
        let valueByteCount = reader.offset - header.valueOffset
        let payloadByteCount = Int(reader.payloadByteCount)
        let taker = BufferTaker()
        // The payload, which is no larger than a frame may be, and what is around it.
        taker.bytes.reserveCapacity(payloadByteCount + 2 * key.byteCount + 256)
        var options = CommandOptions()
        options.target = plan.target
        options.replaces = plan.onConflict == .replace
        var writer = CommandWriter(taker, options: options)
        writer.beginRestore(header, key: key, payloadByteCount: reader.payloadByteCount, now: plan.now)
        let payloadStart = writer.byteCount
        let keyStart = writer.restoreKeyStart
        try reader.rewindToValue()
        try reader.readPayload(valueByteCount: valueByteCount, into: &writer)
        writer.endRestore()
        writer.flush()
        var note = EntryNote(header: header, form: .restore)
        note.isUncertain = isUncertain
        note.commandCount = taker.commandCount
        note.bytes = 0..<taker.bytes.readableBytes
        note.payload = payloadStart..<payloadStart + payloadByteCount
        note.key = keyStart..<keyStart + key.byteCount
        return (taker.bytes, note)
    }

    private mutating func appendString(_ note: EntryNote, _ header: EntryHeader, _ key: RawSpan) {
        var note = note
        if header.expiresAt == nil, plan.batches {
            let start = pairs.byteCount
            pairs.appendArgument(key)
            let end = pairs.byteCount
            pairs.appendArgument(encoder.strings.bytes)
            note.form = .batched
            note.bytes = start..<pairs.byteCount
            note.key = end - key.byteCount - 2..<end - 2
            pairNotes.append(note)
            firstOffset = min(firstOffset, header.startOffset)
            if pairNotes.count >= Self.maxBatchCount || pairs.byteCount >= Self.fullByteCount { flushPairs() }
            return
        }
        let start = out.byteCount
        out.beginCommand(3 + (plan.onConflict == .replace ? 0 : 1) + (header.expiresAt == nil ? 0 : 2))
        out.appendArgument("SET")
        out.appendArgument(key)
        let keyEnd = out.byteCount - 2
        out.appendArgument(encoder.strings.bytes)
        if plan.onConflict != .replace { out.appendArgument("NX") }
        if let expiresAt = header.expiresAt {
            out.appendArgument("PXAT")
            out.appendArgument(decimal: max(1, expiresAt))
        }
        note.form = .set
        add(note, header, from: start, key: keyEnd - key.byteCount..<keyEnd, commands: 1)
    }

    private mutating func appendRestore(
        _ reader: inout RDBReader, _ note: EntryNote, _ header: EntryHeader, _ key: RawSpan
    ) -> Bool {
        var note = note
        encoder.writer.options.replaces = plan.onConflict == .replace
        encoder.writer.removeAll()
        encoder.writer.beginRestore(header, key: key, payloadByteCount: reader.payloadByteCount, now: plan.now)
        let payloadStart = encoder.writer.byteCount
        guard encoder.writer.appendPayload(of: &reader) else { return false }
        let payloadEnd = encoder.writer.byteCount
        encoder.writer.endRestore()
        encoder.writer.options.replaces = false
        let start = out.byteCount
        encoder.writer.copyCommands(to: &out)
        note.payload = start + payloadStart..<start + payloadEnd
        let keyStart = start + encoder.writer.restoreKeyStart
        add(
            note, header, from: start, key: keyStart..<keyStart + key.byteCount, commands: encoder.writer.commandCount)
        return true
    }

    /// `MULTI`, the entry's commands, what gives it its name, `EXEC`.
    private mutating func appendTransaction(
        _ note: EntryNote, _ header: EntryHeader, _ key: RawSpan, _ name: [UInt8]
    ) {
        var note = note
        note.form = .commands
        let start = out.byteCount
        let before = commandCount
        appendCommand(["MULTI"])
        var keyEnd = 0
        if !plan.buildsAside {
            out.beginCommand(2)
            out.appendArgument("DEL")
            out.appendArgument(key)
            keyEnd = out.byteCount - 2
            commandCount += 1
        }
        encoder.writer.copyCommands(to: &out)
        commandCount += encoder.writer.commandCount
        if plan.buildsAside {
            if let expiresAt = header.expiresAt {
                out.beginCommand(3)
                out.appendArgument("PEXPIREAT")
                out.appendArgument(name.rawSpan)
                out.appendArgument(decimal: expiresAt)
                commandCount += 1
            }
            out.beginCommand(3)
            out.appendArgument("RENAMENX")
            out.appendArgument(name.rawSpan)
            note.name = out.byteCount - 2 - name.count..<out.byteCount - 2
            out.appendArgument(key)
            keyEnd = out.byteCount - 2
            out.beginCommand(2)
            out.appendArgument("DEL")
            out.appendArgument(name.rawSpan)
            commandCount += 2
        }
        appendCommand(["EXEC"])
        let count = commandCount - before
        commandCount = before
        add(note, header, from: start, key: keyEnd - key.byteCount..<keyEnd, commands: count)
    }

    private mutating func add(
        _ note: EntryNote, _ header: EntryHeader, from start: Int, key: Range<Int>, commands: Int
    ) {
        var note = note
        note.firstCommand = commandCount
        note.commandCount = commands
        note.bytes = start..<out.byteCount
        note.key = key
        notes.append(note)
        commandCount += commands
        firstOffset = min(firstOffset, header.startOffset)
    }

    // MARK: - Sending again

    /// Appends an entry of an earlier frame once more.
    mutating func append(_ note: EntryNote, of bytes: ByteBuffer, asking: Bool) {
        var note = note
        flushPairs()
        if !note.name.isEmpty {
            // Should a part of it have been carried out outside of its transaction.
            out.beginCommand(2)
            out.appendArgument("DEL")
            out.append(bytes, argument: note.name)
            commandCount += 1
        }
        if asking { appendCommand(["ASKING"]) }
        let start = out.byteCount
        let shift: Int
        if note.form == .batched {
            // By itself now: its batch could not be carried out as a whole.
            note.form = .set
            out.beginCommand(plan.onConflict == .replace ? 3 : 4)
            out.appendArgument("SET")
            shift = out.byteCount - note.bytes.lowerBound
            out.append(bytes, note.bytes)
            if plan.onConflict != .replace { out.appendArgument("NX") }
        } else {
            shift = start - note.bytes.lowerBound
            out.append(bytes, note.bytes)
        }
        note.payload = note.payload.lowerBound + shift..<note.payload.upperBound + shift
        note.name = note.name.lowerBound + shift..<note.name.upperBound + shift
        add(
            note, note.header, from: start, key: note.key.lowerBound + shift..<note.key.upperBound + shift,
            commands: note.form == .set ? 1 : note.commandCount)
    }

    // MARK: - Done

    private mutating func flushPairs() {
        guard !pairNotes.isEmpty else { return }
        out.beginCommand(1 + 2 * pairNotes.count)
        if plan.onConflict == .replace { out.appendArgument("MSET") } else { out.appendArgument("MSETNX") }
        let shift = out.byteCount
        out.append(pairs, 0..<pairs.byteCount)
        for var note in pairNotes {
            note.firstCommand = commandCount
            note.bytes = note.bytes.lowerBound + shift..<note.bytes.upperBound + shift
            note.key = note.key.lowerBound + shift..<note.key.upperBound + shift
            notes.append(note)
        }
        commandCount += 1
        pairs.truncate(to: 0)
        pairs.shrink(to: 256 << 10)
        pairNotes.removeAll(keepingCapacity: true)
    }

    /// The frame, and what its entries are; nothing is left.
    mutating func take() -> (bytes: ByteBuffer, notes: [EntryNote], commandCount: Int, firstOffset: UInt64) {
        flushPairs()
        let bytes = ByteBuffer(out.bytes)
        let taken = (bytes, notes, commandCount, firstOffset)
        out.truncate(to: 0)
        out.shrink(to: 256 << 10)
        notes = []
        notes.reserveCapacity(min(taken.1.count, Self.fullEntryCount))
        commandCount = 0
        firstOffset = .max
        return taken
    }
}

/// What turns values into commands; shared by the links of a target, which encode in turn.
final class EntryEncoder {
    var writer: CommandWriter
    var strings = StringWriter()
    var digest: EntryDigest

    init(_ plan: RestorePlan) {
        var options = CommandOptions()
        options.target = plan.target
        writer = CommandWriter(nil, options: options)
        digest = EntryDigest(plan.comparedParts)
    }
}

/// Commands as they come.
private final class BufferTaker: CommandSink {
    var bytes = ByteBuffer()
    var commandCount = 0

    func take(_ commands: RawSpan, commandCount: Int) {
        bytes.append(commands)
        self.commandCount += commandCount
    }
}

/// The value of a string as it will be an argument.
struct StringWriter: ValueVisitor, ~Copyable {
    private(set) var bytes = OutputBuffer(capacity: 4096)
    private(set) var isTooLarge = false

    mutating func begin() {
        bytes.truncate(to: 0)
        isTooLarge = false
    }

    mutating func text(_ text: RawSpan, as role: TextRole) { bytes.append(text) }
    mutating func integer(_ value: Int64, as role: TextRole) { bytes.append(decimal: value) }
    mutating func beginLargeText(byteCount: UInt64, as role: TextRole) { isTooLarge = true }
}

extension ByteBuffer {
    init(_ bytes: RawSpan) {
        self.init()
        // What is written is copied before the span ends.
        _ = unsafe bytes.withUnsafeBytes { unsafe writeBytes($0) }
    }
}

extension OutputBuffer {
    /// A part of a network buffer.
    mutating func append(_ buffer: ByteBuffer, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= buffer.readableBytes)
        append(buffer.readableBytesSpan.extracting(range))
    }

    /// The same as an argument.
    mutating func append(_ buffer: ByteBuffer, argument range: Range<Int>) {
        appendArgument(buffer.readableBytesSpan.extracting(range))
    }
}
