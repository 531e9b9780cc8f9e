import NIOCore
import RESPFormat
import Synchronization

/// What other threads want from a connection, on its way to the event loop.
final class LinkInbox: Sendable {
    enum Item: Sendable {
        case frame(CommandFrame)
        /// Commands whose replies somebody waits for.
        case call(ByteBuffer, commandCount: Int, ResultWaiter<[RESPReply]>)
    }

    private let items = Mutex<[Item]>([])

    /// - Returns: whether the loop has to be told: it takes all items at once.
    func put(_ item: Item) -> Bool {
        items.withLock { items in
            items.append(item)
            return items.count == 1
        }
    }

    func take() -> [Item] {
        items.withLock { items in
            let taken = items
            items = []
            return taken
        }
    }
}
