import NIOCore
import RDBKit

/// One connection to one server, as the restore sees it: what is being built for it, and what is on its way.
final class RestoreLink {
    let address: ServerAddress
    /// Stands for the present connection in events; another one after each reconnection.
    var number = -1
    var connection: ServerConnection?
    var builder: FrameBuilder
    /// The database that the connection is in, and all that is built for it.
    var database: UInt64 = 0
    var sent: [UInt64: SentFrame] = [:]
    /// Not before this time is another connection tried, or a database selected.
    var retryAt: Int64 = 0
    /// How long after a further failure, in milliseconds; none after a connection that was of use.
    var backoff: Int64 = 0

    struct SentFrame {
        var bytes: ByteBuffer
        var notes: [EntryNote]
        var firstOffset: UInt64
    }

    init(_ address: ServerAddress, _ plan: RestorePlan, _ encoder: EntryEncoder) {
        self.address = address
        builder = FrameBuilder(plan, encoder)
    }

    /// The lowest offset of an entry that is not done.
    var firstOffset: UInt64 {
        sent.values.reduce(builder.firstOffset) { min($0, $1.firstOffset) }
    }

    /// A connection failed, or could not be made.
    func delayNextConnection(_ now: Int64) {
        retryAt = now + backoff
        backoff = max(50, min(2000, backoff * 2))
    }

    /// The connection is gone: what was on its way, with how many of each frame's commands were answered.
    func disconnect() {
        connection?.close()
        connection = nil
        number = -1
        database = 0
    }
}

/// An entry whose key exists at the target, and that may have been carried out unseen.
struct Doubt {
    var note: EntryNote
    /// The frame that it came with.
    var bytes: ByteBuffer
}

/// An entry that has to be sent again.
struct WaitingEntry {
    var note: EntryNote
    /// The entry's bytes, at their places in the frame that they came with.
    var bytes: ByteBuffer
    var notBefore: Int64 = 0
    /// Where to, if not to the owner of its slot; with ASKING before it.
    var asked: ServerAddress?

    /// An entry by itself: the frame around it may be much larger.
    init(_ note: EntryNote, of frame: ByteBuffer) {
        self.note = note
        let own = note.bytes
        guard let slice = frame.getSlice(at: own.lowerBound, length: own.count) else {
            preconditionFailure("an entry lies within its frame")
        }
        bytes = slice
        if own.count < frame.readableBytes {
            bytes = ByteBuffer()
            bytes.writeImmutableBuffer(slice)
        }
        func moved(_ range: Range<Int>) -> Range<Int> {
            range.lowerBound - own.lowerBound..<range.upperBound - own.lowerBound
        }
        self.note.bytes = 0..<own.count
        self.note.key = moved(note.key)
        if !note.name.isEmpty { self.note.name = moved(note.name) }
        self.note.payload = note.form == .restore ? moved(note.payload) : 0..<0
    }

    /// What it takes in memory, roughly.
    var byteCount: Int { bytes.readableBytes + 512 }
}
