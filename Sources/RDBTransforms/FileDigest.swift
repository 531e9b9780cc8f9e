public import RDBBytes
public import RDBModel

/// A digest of many entries in no order: the sum of theirs. Sums of parts of a file add up to the sum of the file.
public struct FileDigest: Equatable, Sendable {
    public private(set) var entries = DigestSum()
    public private(set) var functions = DigestSum()

    public init() {}

    public mutating func add(_ entry: Digest128) { entries.add(entry) }

    public mutating func add(_ other: FileDigest) {
        entries.add(other.entries)
        functions.add(other.functions)
    }

    /// By the name, the engine and as much of the source text as was kept, with its length.
    public mutating func add(_ library: FunctionLibrary, key: Digest128 = EntryDigest.publicKey) {
        var message = SipHash(key: key)
        message.append(word: 32)
        library.engine.withRawSpan { message.append(text: $0) }
        library.name.withRawSpan { message.append(text: $0) }
        message.append(word: library.code.byteCount)
        message.append(text: library.code.bytes.rawSpan)
        functions.add(message.finish())
    }

    /// One digest of all that was added. Functions count where there are any.
    public func value(key: Digest128 = EntryDigest.publicKey) -> Digest128 {
        var message = SipHash(key: key)
        message.append(word: 33)
        message.append(entries)
        if functions.count > 0 { message.append(functions) }
        return message.finish()
    }
}
