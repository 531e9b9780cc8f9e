import RDBBytes
public import RDBModel

/// Marks of entries that are strings: the digests are those of `EntryDigest`, but made of several entries at a time, where
/// they are short.
///
///     strings.begin(database: 0, expiresAt: nil, key: key, hash: hash)
///     try reader.readValue(into: &strings)
///     strings.end(into: &marks)
///     strings.flush(into: &marks)                 // after the last one
public struct StringDigests: ValueVisitor, Sendable {
    private var digest: EntryDigest
    private var group = SipHashGroup()
    /// Of the keys.
    private var hashes = InlineArray<8, UInt64>(repeating: 0)
    /// Of the key of the entry at hand.
    private var keyWordCount = 0
    /// Of an entry that is too long for the group.
    private var longMessage: SipHash?
    private var longText: SipHash.Text

    /// - Parameter digest: what counts of an entry.
    public init(_ digest: EntryDigest) {
        self.digest = digest
        var message = SipHash(key: digest.key)
        longText = message.beginText(byteCount: 0)
    }

    /// - Parameter hash: what stands for the key in its mark.
    public mutating func begin(database: UInt64, expiresAt: Int64?, key: RawSpan, hash: UInt64) {
        hashes[group.count] = hash
        let beginning = digest.beginning(type: .string, database: database, expiresAt: expiresAt)
        if group.append(text: key) {
            group.begin(after: beginning)
            keyWordCount = group.wordCount
        } else {
            var message = beginning
            message.append(text: key)
            longMessage = message
        }
    }

    public mutating func text(_ bytes: RawSpan, as role: TextRole) {
        if longMessage == nil, group.append(text: bytes) { return }
        beginLong()
        longMessage?.append(text: bytes)
    }

    public mutating func integer(_ value: Int64, as role: TextRole) {
        if longMessage == nil, group.append(decimal: value) { return }
        beginLong()
        longMessage?.append(decimal: value)
    }

    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) {
        beginLong()
        if let text = longMessage?.beginText(byteCount: byteCount) { longText = text }
    }

    public mutating func largeTextChunk(_ bytes: RawSpan) { longMessage?.append(bytes, to: &longText) }

    public mutating func endLargeText(as role: TextRole) { longMessage?.endText(longText) }

    @inline(never)
    private mutating func beginLong() {
        if longMessage == nil { longMessage = group.message(wordCount: keyWordCount) }
    }

    /// Completes the entry whose value was read.
    @inline(__always)
    public mutating func end(into marks: inout KeyMarks) {
        if longMessage != nil { return endLong(into: &marks) }
        group.next()
        if group.isFull { flush(into: &marks) }
    }

    @inline(never)
    private mutating func endLong(into marks: inout KeyMarks) {
        guard let message = longMessage else { return }
        marks.append(key: hashes[group.count], entry: message.finish())
        discard()
    }

    /// Forgets the entry that was begun.
    public mutating func discard() {
        group.drop()
        longMessage = nil
    }

    /// Hands over what is complete. Not while an entry is begun.
    @inline(never)
    public mutating func flush(into marks: inout KeyMarks) {
        if group.count == 0 { return }
        marks.append(group.count, keys: hashes, entries: group.digests())
        group.removeAll()
    }
}
