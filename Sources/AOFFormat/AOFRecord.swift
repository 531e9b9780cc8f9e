/// Where a command stands in the log, and what holds for it.
public struct AOFRecord: Equatable, Sendable {
    /// Of the command's `*`, from the start of its file.
    public var offset: UInt64
    /// Header lines included.
    public var byteCount: UInt64
    /// The database it runs in; of a SELECT, the one that it selects.
    public var database: UInt64
    /// The time of the last annotation before it, Unix seconds.
    public var time: Int64?
    /// The number of its MULTI/EXEC group, from 1; nil outside of groups. MULTI and EXEC belong to theirs.
    public var transaction: UInt64?

    public init(offset: UInt64, byteCount: UInt64, database: UInt64, time: Int64?, transaction: UInt64?) {
        self.offset = offset
        self.byteCount = byteCount
        self.database = database
        self.time = time
        self.transaction = transaction
    }
}

/// What goes over from one file of a log to the next. The selected database does not: it is 0 at the start of each.
public struct AOFContext: Equatable, Sendable {
    /// Of the last annotation, Unix seconds.
    public var time: Int64?
    /// MULTI/EXEC groups begun so far.
    public var transactionCount: UInt64 = 0

    public init() {}
}
