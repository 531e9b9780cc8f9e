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
    /// The target said no to its payload.
    var refusesPayload = false
    var attempts = 0
}
