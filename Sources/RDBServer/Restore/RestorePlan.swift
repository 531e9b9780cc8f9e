import RDBKit

/// What was found out about the target and asked for, as far as it decides the form of each entry.
struct RestorePlan: Sendable {
    var target: ServerVersion
    var form: EntryForm
    var onConflict: ConflictPolicy
    /// A cluster takes no command over keys of several slots; renamed keys may meet in one batch.
    var batches: Bool
    /// Whether the target evicts by what only RESTORE can tell it.
    var keepsEvictionHints: Bool
    /// Values whose commands are larger are sent by themselves.
    var maxByteCount: Int
    /// Larger payloads are not kept until they are answered.
    var maxPayloadByteCount: UInt64
    /// Names of the modules that the target has; nil where it does not tell.
    var modules: Set<String>?
    var now: Int64

    /// Entries made of commands are built under another name, so that a key that exists is never touched.
    var buildsAside: Bool { onConflict != .replace }

    /// Whether the target takes a layout by RESTORE, and nobody forbids it.
    func restores(_ type: RDBType, of version: RDBVersion) -> Bool {
        guard form != .commands, type.isRestorable else { return false }
        return form == .restore || target.restores(type, of: version)
    }

    func form(of type: RDBType, _ header: EntryHeader, _ version: RDBVersion) -> RestoreForm {
        let isRestorable = form == .restore ? type.isRestorable : target.restores(type, of: version)
        let hasHints = keepsEvictionHints && (header.idleSeconds != nil || header.lfuFrequency != nil)
        if header.type == .string, form != .restore, !(hasHints && isRestorable && form == .auto) {
            if header.expiresAt == nil { return batches ? .batched : .set }
            if target.hasExpiryAtInSet { return .set }
        }
        return isRestorable && form != .commands ? .restore : .commands
    }

    /// What of an entry is the same at the target, whatever way it went. Expiry is compared by itself.
    var comparedParts: EntryDigest.Parts {
        var parts = EntryDigest.Parts.data.subtracting([.database, .expiry])
        if !target.hasFieldExpiry { parts.remove(.fieldExpiry) }
        if !target.hasStreamCounters { parts.remove(.streamCounters) }
        if !target.hasIdempotence { parts.remove(.streamProducers) }
        return parts
    }

    /// Hash fields that expire before this time may be gone when they are looked at.
    var comparedFieldExpiry: Int64 { currentMilliseconds() + 60_000 }
}
