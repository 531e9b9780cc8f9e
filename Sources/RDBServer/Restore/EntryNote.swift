import NIOCore
import RDBKit

/// One entry of a frame: what it is, and where its bytes and commands are.
struct EntryNote {
    var header: EntryHeader
    var form: RestoreForm
    /// Of the frame's commands, the first that is the entry's, and how many. Entries of one batch share theirs.
    var firstCommand = 0
    var commandCount = 1
    /// In the frame: all that has to be sent again if the entry has; of a batched one, key and value as arguments.
    var bytes = 0..<0
    var key = 0..<0
    /// The name under which a transaction builds it, where that is another one.
    var name = 0..<0
    /// The payload, of a RESTORE.
    var payload = 0..<0
    /// Of the data, where its commands do not show it in one piece.
    var digest: Digest128?
    /// It may have been carried out before, unseen.
    var isUncertain = false
    var attempts = 0
}

extension EntryNote {
    /// - Parameter bytes: those of the frame.
    func key(in bytes: ByteBuffer) -> [UInt8] {
        bytes.getBytes(at: key.lowerBound, length: key.count) ?? []
    }

    /// The value within the payload of a RESTORE.
    func payloadValue(in bytes: ByteBuffer) -> ByteBuffer? {
        let count = payload.count - 1 - RDBReader.payloadFooterByteCount
        return count < 0 ? nil : bytes.getSlice(at: payload.lowerBound + 1, length: count)
    }

    /// The value of a SET: the argument behind the key.
    func setValue(in bytes: ByteBuffer) -> ByteBuffer? {
        let start = key.upperBound + 3
        guard start < bytes.readableBytes,
            let head = bytes.getSlice(at: start, length: min(16, bytes.readableBytes - start))
        else { return nil }
        let digits = head.readableBytesView.prefix { 0x30...0x39 ~= $0 }
        guard let count = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        return bytes.getSlice(at: start + digits.count + 2, length: count)
    }
}
