public import RDBKit

/// What happens where a key exists at the target already.
public enum ConflictPolicy: String, Sendable, CaseIterable {
    /// The run ends; the key stays as it is.
    case error
    /// The key stays as it is and is counted.
    case skip
    case replace
}

public struct RestoreOptions: Sendable {
    public var form = EntryForm.auto
    public var onConflict = ConflictPolicy.error
    public var changes = EntryChanges()
    /// Sends entries whose expiry is over; by default they are left out and counted.
    public var keepsExpired = false
    /// To each server.
    public var connections = 2
    public var maxBytesPerSecond: UInt64?
    public var maxEntriesPerSecond: UInt64?
    /// Values larger than this arrive in slices by commands, so that none blocks the target for long.
    public var bigValueByteCount: UInt64 = 64 << 20
    /// How long a target that is gone, moving or busy is tried again without any progress.
    public var patienceMilliseconds: Int64 = 60_000
    /// Plans only: nothing is sent.
    public var isDryRun = false

    public init() {}
}
