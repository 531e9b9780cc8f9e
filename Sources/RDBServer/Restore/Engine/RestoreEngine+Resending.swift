import NIOCore
import RDBKit

/// Entries that go once more: to another server, later, or in another form.
extension RestoreEngine {
    func wait(
        _ note: EntryNote, _ bytes: ByteBuffer, words: String, delay: Int64, asked: ServerAddress? = nil
    ) {
        if !words.isEmpty { lastWords = words }
        var entry = WaitingEntry(note, of: bytes)
        entry.note.attempts += 1
        entry.notBefore = currentMilliseconds() + delay
        entry.asked = asked
        bytesWaiting += entry.byteCount
        nextResend = min(nextResend, entry.notBefore)
        waiting.append(entry)
    }

    func resend(_ now: Int64) {
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
    func linkNow(for entry: WaitingEntry, _ now: Int64) -> RestoreLink? {
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

    /// The target took everything of these payloads but their form: the same by commands. Not from within the taking of
    /// events, since it may wait for some.
    func sendRefused() {
        let entries = refused
        refused = []
        for entry in entries where stop == nil {
            bytesWaiting -= entry.byteCount
            do throws(DecodeError) { try sendAsCommands(entry.note, entry.bytes) } catch {
                fail(entry.note.header, entry.note.key(in: entry.bytes), .refused, error.message)
            }
        }
    }

    func sendAsCommands(_ note: EntryNote, _ bytes: ByteBuffer) throws(DecodeError) {
        let key = note.key(in: bytes)
        guard let value = note.payloadValue(in: bytes),
            let type = RDBType(byte: note.header.typeByte, version: inputVersion)
        else { preconditionFailure("a payload that was sent") }
        try RDBReader.withEntry(
            note.header, type, of: inputVersion, key: key.rawSpan, value: value.readableBytesSpan
        ) { reader throws(DecodeError) in try sendAsCommands(note, key: key, &reader) }
    }

    private func sendAsCommands(
        _ note: EntryNote, key: [UInt8], _ reader: inout RDBReader
    ) throws(DecodeError) {
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
    }
}
