import NIOCore
import RDBKit

/// What the answers say of each entry, and what becomes of it.
extension RestoreEngine {
    /// - Parameter answered: how many of the frame's commands were answered, nil for all.
    func settle(
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

    func settle(_ note: EntryNote, _ bytes: ByteBuffer, _ verdict: Verdict, _ link: RestoreLink) {
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
                let entry = WaitingEntry(note, of: bytes)
                bytesWaiting += entry.byteCount
                refused.append(entry)
            } else {
                fail(note.header, note.key(in: bytes), .refused, words(text, note, bytes))
            }
        case .gone where note.header.expiresAt != nil || note.header.hasFieldExpiries:
            // Its time, or that of all its fields, was over before it got its name.
            applied(note.header, note.form)
        case .failed(let text), .gone(let text):
            fail(note.header, note.key(in: bytes), .refused, words(text, note, bytes))
        case .hopeless(let text):
            if target.isCluster, text.hasPrefix("READONLY") {
                // A failover has made another server the owner.
                target.refreshTopology(now: currentMilliseconds())
                return wait(note, bytes, words: text, delay: 100)
            }
            refuseAll(note.header, note.key(in: bytes), text, link.address)
        }
    }

    /// The server's words, and which module they are about.
    func words(_ text: String, _ note: EntryNote, _ bytes: ByteBuffer) -> String {
        guard note.header.type == .module, let value = note.payloadValue(in: bytes) else { return text }
        return ModuleTypes.words(text, value.readableBytesSpan)
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

    func conflict(_ note: EntryNote, _ bytes: ByteBuffer) {
        if note.isUncertain {
            doubts.append(Doubt(note: note, bytes: bytes))
        } else {
            exists(note.header, note.key(in: bytes))
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

    func add(losses: CommandLoss, _ header: EntryHeader, _ key: RawSpan) {
        if losses.isEmpty { return }
        summary.losses.add(losses, header, key: key)
        if losses.isOfData, checkpoint != nil { failedOffsets.append(header.startOffset) }
    }
}
