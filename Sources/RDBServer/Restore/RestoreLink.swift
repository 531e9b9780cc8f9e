import NIOCore
import RDBKit

/// One connection to one server, as the restore sees it: what is being built for it, and what is on its way.
final class RestoreLink {
    let address: ServerAddress
    /// Stands for the present connection in events; another one after each reconnection.
    var number = -1
    var connection: ServerConnection?
    var builder: FrameBuilder
    /// The database that the commands built last are in; nil before the first.
    var database: UInt64?
    var sent: [UInt64: SentFrame] = [:]
    /// Not before this time is another connection tried, and how long after a further failure.
    var retryAt: Int64 = 0
    var backoff: Int64 = 50

    struct SentFrame {
        var bytes: ByteBuffer
        var notes: [EntryNote]
        var firstOffset: UInt64
    }

    init(_ address: ServerAddress, plan: RestorePlan) {
        self.address = address
        builder = FrameBuilder(plan)
    }

    /// The lowest offset of an entry that is not done.
    var firstOffset: UInt64 {
        sent.values.reduce(builder.firstOffset) { min($0, $1.firstOffset) }
    }

    /// The connection is gone: what was on its way, with how many of each frame's commands were answered.
    func disconnect() {
        connection?.close()
        connection = nil
        number = -1
        database = nil
    }
}

/// An entry that has to be sent again.
struct WaitingEntry {
    var note: EntryNote
    /// The entry's bytes, at their places in the frame that they came with.
    var bytes: ByteBuffer
    var notBefore: Int64
    /// Where to, if not to the owner of its slot; with ASKING before it.
    var asked: ServerAddress?
    var words: String
}
