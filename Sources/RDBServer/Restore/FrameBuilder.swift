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
    private var writer: CommandWriter
    private var strings = StringWriter()
    private var digest: EntryDigest
    private let plan: RestorePlan
    /// The lowest offset in the input of its entries.
    private(set) var firstOffset = UInt64.max

    static let fullByteCount = 192 << 10
    static let fullEntryCount = 2048
    private static let maxBatchCount = 512

    enum Encoding {
        case done
        /// It has to be sent by itself, straight from the input.
        case tooLarge
        /// A collection without elements, which no server keeps.
        case nothing
        /// The target has no such type.
        case lost
    }

    init(_ plan: RestorePlan) {
        self.plan = plan
        var options = CommandOptions()
        options.target = plan.target
        writer = CommandWriter(nil, options: options)
        digest = EntryDigest(plan.comparedParts)
    }

    var isEmpty: Bool { notes.isEmpty && pairNotes.isEmpty && commandCount == 0 }
    var byteCount: Int { out.byteCount + pairs.byteCount }
    var entryCount: Int { notes.count + pairNotes.count }
    var isFull: Bool { byteCount >= Self.fullByteCount || entryCount >= Self.fullEntryCount }
    /// What commands could not carry of the entry encoded last.
    private(set) var losses: CommandLoss = []

    /// A command that belongs to no entry.
    mutating func append(_ words: [StaticString], decimal: UInt64? = nil) {
        // Such as SELECT: what was batched belongs before it.
        flushPairs()
        appendCommand(words, decimal: decimal)
    }

    private mutating func appendCommand(_ words: [StaticString], decimal: UInt64? = nil) {
        out.beginCommand(words.count + (decimal == nil ? 0 : 1))
        for word in words { out.appendArgument(word) }
        if let decimal { out.appendArgument(String(decimal)) }
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
            strings.begin()
            try reader.readValue(into: &strings)
            if strings.isTooLarge || strings.bytes.byteCount > plan.maxByteCount { return .tooLarge }
            appendString(note, header, key)
        case .restore:
            // A payload has a checksum of its own: what is damaged must not be passed on as sound.
            var nobody = NullVisitor()
            try reader.readValue(into: &nobody)
            if reader.payloadByteCount > UInt64(plan.maxByteCount) { return .tooLarge }
            guard appendRestore(&reader, note, header, key) else { return .tooLarge }
        case .commands, .sliced:
            let name = plan.buildsAside ? temporaryKey() : key.array
            var bare = header
            if plan.buildsAside { bare.expiresAt = nil }
            writer.removeAll()
            writer.begin(bare, key: name.rawSpan)
            if writer.losses.contains(.value) {
                try reader.skipValue()
                return .lost
            }
            try reader.readValue(into: &writer)
            while writer.startAnotherPass() {
                if writer.isTooLarge { return .tooLarge }
                try reader.rewindToValue()
                try reader.readValue(into: &writer)
            }
            if writer.isTooLarge { return .tooLarge }
            if let refusal = writer.refusal { throw refusal }
            writer.end()
            if writer.commandCount == 0 { return .nothing }
            if writer.byteCount > plan.maxByteCount { return .tooLarge }
            losses = writer.losses
            if plan.buildsAside {
                // Should the answer get lost, this tells whether what is there then is this.
                digest.fieldsExpireAfter = plan.comparedFieldExpiry
                digest.begin(header, key: key)
                try reader.rewindToValue()
                try reader.readValue(into: &digest)
                note.digest = digest.finish()
            }
            appendTransaction(note, header, key, name)
        }
        return .done
    }

    private mutating func appendString(_ note: EntryNote, _ header: EntryHeader, _ key: RawSpan) {
        var note = note
        if header.expiresAt == nil, plan.batches {
            let start = pairs.byteCount
            pairs.appendArgument(key)
            let end = pairs.byteCount
            pairs.appendArgument(strings.bytes)
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
        out.appendArgument(strings.bytes)
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
        writer.options.replaces = plan.onConflict == .replace
        writer.removeAll()
        writer.beginRestore(header, key: key, payloadByteCount: reader.payloadByteCount, now: plan.now)
        let payloadStart = writer.byteCount
        guard writer.appendPayload(of: &reader) else { return false }
        let payloadEnd = writer.byteCount
        writer.endRestore()
        writer.options.replaces = false
        let start = out.byteCount
        out.append(writer.commands)
        note.payload = start + payloadStart..<start + payloadEnd
        let keyStart = start + writer.restoreKeyStart
        add(
            note, header, from: start, key: keyStart..<keyStart + key.byteCount, commands: writer.commandCount)
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
        out.append(writer.commands)
        commandCount += writer.commandCount
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
        if asking { append(["ASKING"]) }
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
        pairs.shrink(to: 1 << 20)
        pairNotes.removeAll(keepingCapacity: true)
    }

    /// The frame, and what its entries are; nothing is left.
    mutating func take() -> (bytes: ByteBuffer, notes: [EntryNote], commandCount: Int, firstOffset: UInt64) {
        flushPairs()
        let bytes = ByteBuffer(out.bytes)
        let taken = (bytes, notes, commandCount, firstOffset)
        out.truncate(to: 0)
        out.shrink(to: 1 << 20)
        notes = []
        notes.reserveCapacity(min(taken.1.count, Self.fullEntryCount))
        commandCount = 0
        firstOffset = .max
        return taken
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
