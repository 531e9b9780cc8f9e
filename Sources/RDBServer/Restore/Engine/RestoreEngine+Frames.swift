import NIOCore
import RDBKit

/// What goes out, and what comes back of it.
extension RestoreEngine {
    /// Sends what the link has built.
    /// - Parameter waits: whether to keep to the rate at once, and not before the next frame.
    func submit(_ link: RestoreLink, waits: Bool = true) {
        guard !link.builder.isEmpty, link.connection != nil else { return }
        let (bytes, notes, commandCount, firstOffset) = link.builder.take()
        submit(bytes, notes, commandCount: commandCount, firstOffset: firstOffset, on: link, waits: waits)
    }

    func submit(
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

    /// Sends a piece of it, whose end `large` is told.
    func submitPiece(_ bytes: ByteBuffer, commandCount: Int, on link: RestoreLink) -> UInt64 {
        let frame = CommandFrame(id: nextFrame, bytes: bytes, commandCount: commandCount)
        nextFrame += 1
        summary.byteCount += UInt64(bytes.readableBytes)
        link.connection?.submit(frame)
        return frame.id
    }

    func throttle(_ byteCount: Int, waits: Bool = true) {
        if let wait = byteRate?.take(byteCount, now: currentMilliseconds()), wait > 0, waits { pause(wait) }
    }

    /// Waits, but takes events meanwhile.
    func pause(_ milliseconds: Int64) {
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

    func remove(_ frame: UInt64, _ link: RestoreLink) -> RestoreLink.SentFrame? {
        guard let sent = link.sent.removeValue(forKey: frame) else { return nil }
        bytesInFlight -= sent.bytes.readableBytes
        framesInFlight -= 1
        return sent
    }

    func lost(_ link: RestoreLink, _ error: ServerError, _ unfinished: [UnfinishedFrame]) {
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
}
