public import RESPFormat

/// A reply that somebody has to look at: `RESPReply.isRemarkable`.
public struct RemarkableReply: Sendable, Equatable {
    /// Which of the frame's commands it answers, from 0.
    public var command: Int
    public var reply: RESPReply

    public init(command: Int, reply: RESPReply) {
        self.command = command
        self.reply = reply
    }
}

/// A frame whose replies did not all come before the connection ended.
public struct UnfinishedFrame: Sendable, Equatable {
    public var frame: UInt64
    /// So many of its commands were answered. Others may have been carried out as well.
    public var answeredCount: Int
    public var remarkable: [RemarkableReply]

    public init(frame: UInt64, answeredCount: Int, remarkable: [RemarkableReply]) {
        self.frame = frame
        self.answeredCount = answeredCount
        self.remarkable = remarkable
    }
}

public enum LinkEvent: Sendable, Equatable {
    /// All commands of a frame were answered.
    case completed(link: Int, frame: UInt64, remarkable: [RemarkableReply])
    /// The connection has ended, with everything that it still owed, in the order of submission. Frames submitted
    /// afterwards come back in further events of this kind.
    case closed(link: Int, error: ServerError, unfinished: [UnfinishedFrame])
}

/// The mailbox that many connections put their events into, each connection's in order.
public final class LinkEvents: Sendable {
    private let mailbox = Mailbox<LinkEvent>()

    public init() {}

    /// Takes all events; waits for the first one if there are none.
    /// - Returns: nothing if none came in that time.
    public func wait(milliseconds: Int) -> [LinkEvent] { mailbox.wait(milliseconds: milliseconds) }

    func post(_ events: [LinkEvent]) { mailbox.post(events) }
}
