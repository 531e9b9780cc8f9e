import RDBBytes
public import RDBFormat
public import RDBModel
import RESPFormat

// Commands that are not made of a value's parts.
extension CommandWriter {
    /// SELECT; the entries that follow are in this database.
    public mutating func select(_ database: UInt64) {
        out.beginCommand(2)
        out.appendArgument("SELECT")
        out.appendArgument(String(database))
        commandCount += 1
        endCommandBetweenEntries()
    }

    /// FUNCTION LOAD.
    public mutating func load(_ library: FunctionLibrary) {
        out.beginCommand(options.replaces ? 4 : 3)
        out.appendArgument("FUNCTION")
        out.appendArgument("LOAD")
        if options.replaces { out.appendArgument("REPLACE") }
        out.appendArgument(library.source.rawSpan)
        commandCount += 1
        endCommandBetweenEntries()
    }

    /// What is discarded next does not begin before this.
    private mutating func endCommandBetweenEntries() {
        entryStart = out.byteCount
        entryCommands = commandCount
    }

    // MARK: - RESTORE

    /// The head of a RESTORE of the entry, up to and including its payload's length. The payload and `endRestore` follow.
    public mutating func beginRestore(
        _ header: EntryHeader, key: RawSpan, payloadByteCount: UInt64, now: Int64
    ) {
        self.header = header
        entryStart = out.byteCount
        entryCommands = commandCount
        losses = []
        refusal = nil
        pass = .writing
        highWater = isDetached ? .max : Self.flushByteCount
        if options.replaces, !options.target.hasRestoreReplace {
            out.beginCommand(2)
            out.appendArgument("DEL")
            out.appendArgument(key)
            commandCount += 1
        }
        out.beginCommand(4 + restoreOptionCount)
        out.appendArgument("RESTORE")
        out.appendArgument(key)
        restoreKeyStart = out.byteCount - 2 - key.byteCount
        switch header.expiresAt {
        case nil: out.appendArgument("0")
        case let expiry? where options.target.hasRestoreOptions: out.appendArgument(decimal: max(1, expiry))
        // Zero would mean none.
        case let expiry?: out.appendArgument(decimal: max(1, expiry.subtractingReportingOverflow(now).partialValue))
        }
        out.beginArgument(byteCount: payloadByteCount)
        commandCount += 1
    }

    private var replacesWithRestore: Bool { options.replaces && options.target.hasRestoreReplace }

    private var restoreOptionCount: Int {
        var count = replacesWithRestore ? 1 : 0
        guard options.target.hasRestoreOptions else { return count }
        if header.expiresAt != nil { count += 1 }
        if header.lfuFrequency != nil || header.idleSeconds != nil { count += 2 }
        return count
    }

    /// Where the payload is appended to.
    public mutating func appendPayload(_ piece: RawSpan) {
        // Pieces are as large as a window; what is written to is flushed between them.
        out.append(piece)
        relieve()
    }

    /// The same, from a reader that has just stepped over the value.
    public mutating func appendPayload(of reader: inout RDBReader) -> Bool { reader.appendPayload(to: &out) }

    public mutating func endRestore() {
        out.append("\r\n")
        if replacesWithRestore { out.appendArgument("REPLACE") }
        if options.target.hasRestoreOptions {
            if header.expiresAt != nil { out.appendArgument("ABSTTL") }
            if let frequency = header.lfuFrequency {
                out.appendArgument("FREQ")
                out.appendArgument(decimal: Int64(frequency))
            } else if let idle = header.idleSeconds {
                out.appendArgument("IDLETIME")
                out.appendArgument(decimal: Int64(clamping: idle))
            }
        } else if header.lfuFrequency != nil || header.idleSeconds != nil {
            losses.insert(.evictionHints)
        }
        endCommandBetweenEntries()
        if sink != nil, out.byteCount >= Self.flushByteCount { flush() }
    }
}
