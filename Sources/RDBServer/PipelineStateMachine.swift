import NIOCore
import RDBBytes
import RESPFormat

/// Which commands of a connection wait for replies, and what each reply belongs to. Knows bytes, but no channel.
struct PipelineStateMachine {
    /// Who gets the replies of a frame.
    enum Recipient: Equatable {
        /// Only the remarkable ones are kept.
        case events(frame: UInt64)
        /// All are kept.
        case caller(token: UInt64)
    }

    enum Output: Equatable {
        case completed(frame: UInt64, remarkable: [RemarkableReply])
        case answered(token: UInt64, replies: [RESPReply])
    }

    enum Violation: Error, Equatable {
        case malformed(RESPReplyError)
        /// An error that answers nothing: servers say so why they hang up.
        case unaskedError(String)
        case unaskedReply
    }

    private struct Waiting {
        var recipient: Recipient
        var commandCount: Int
        var answeredCount = 0
        var remarkable: [RemarkableReply] = []
        var replies: [RESPReply] = []
    }

    /// Whose replies come next. Not in the buffer, where changing it would copy what it holds.
    private var first: Waiting?
    private var others = CircularBuffer<Waiting>()
    private var parser: RESPReplyParser

    init(limits: RESPReplyParser.Limits) { parser = RESPReplyParser(limits: limits) }

    var isWaiting: Bool { first != nil }

    /// Commands that will be sent behind all others.
    mutating func submit(_ recipient: Recipient, commandCount: Int) {
        precondition(commandCount > 0, "a frame holds at least one command")
        let new = Waiting(recipient: recipient, commandCount: commandCount)
        if first == nil { first = new } else { others.append(new) }
    }

    /// Takes bytes that arrived. After a throw nothing more may be given.
    mutating func receive(_ bytes: RawSpan, _ outputs: inout [Output]) throws(Violation) {
        var index = 0
        while index < bytes.byteCount {
            if !parser.isWithinReply, skipUnremarkable(bytes, at: &index, &outputs) { continue }
            let reply: RESPReply?
            do throws(RESPReplyError) {
                reply = try parser.next(bytes, at: &index)
            } catch {
                throw .malformed(error)
            }
            if let reply { try take(reply, &outputs) }
        }
    }

    /// - Returns: whether a frame came to its end, or all bytes were used up.
    private mutating func skipUnremarkable(_ bytes: RawSpan, at index: inout Int, _ outputs: inout [Output]) -> Bool {
        guard let waiting = first, case .events = waiting.recipient else { return false }
        let limit = waiting.commandCount - waiting.answeredCount
        let (end, count) = RESPReplyScanner.skip(bytes, from: index, limit: limit)
        index = end
        first?.answeredCount += count
        if count == limit {
            finishFirst(&outputs)
            return true
        }
        return end == bytes.byteCount
    }

    private mutating func take(_ reply: RESPReply, _ outputs: inout [Output]) throws(Violation) {
        if case .push = reply { return }
        guard let waiting = first else {
            throw reply.errorText.map { .unaskedError($0) } ?? .unaskedReply
        }
        switch waiting.recipient {
        case .caller: first?.replies.append(reply)
        case .events:
            if reply.isRemarkable {
                first?.remarkable.append(RemarkableReply(command: waiting.answeredCount, reply: reply))
            }
        }
        first?.answeredCount += 1
        if waiting.answeredCount + 1 == waiting.commandCount { finishFirst(&outputs) }
    }

    private mutating func finishFirst(_ outputs: inout [Output]) {
        guard let done = first else { return }
        first = others.popFirst()
        switch done.recipient {
        case .events(let frame): outputs.append(.completed(frame: frame, remarkable: done.remarkable))
        case .caller(let token): outputs.append(.answered(token: token, replies: done.replies))
        }
    }

    /// Forgets everything.
    /// - Returns: what was not answered in full, in order, and the callers who get nothing.
    mutating func close() -> (unfinished: [UnfinishedFrame], callers: [UInt64]) {
        var unfinished: [UnfinishedFrame] = []
        var callers: [UInt64] = []
        while let each = first {
            first = others.popFirst()
            switch each.recipient {
            case .events(let frame):
                unfinished.append(
                    UnfinishedFrame(frame: frame, answeredCount: each.answeredCount, remarkable: each.remarkable))
            case .caller(let token): callers.append(token)
            }
        }
        return (unfinished, callers)
    }
}
