public import RDBBytes
public import RDBModel

extension EntryDigest {
    public typealias Total = DigestSum

    public var refusal: DecodeError? { nil }

    /// Of the engine, the name, and as much of the source text as was kept, with its length.
    public func digest(of library: FunctionLibrary) -> Digest128 {
        var message = SipHash(key: key)
        message.append(word: 32)
        library.engine.withRawSpan { message.append(text: $0) }
        library.name.withRawSpan { message.append(text: $0) }
        message.append(word: library.code.byteCount)
        message.append(text: library.code.bytes.rawSpan)
        return message.finish()
    }

    public func combine(_ databases: [(number: UInt64, total: DigestSum)], functions: DigestSum?) -> Digest128 {
        // Each entry's digest tells its database already.
        var entries = DigestSum()
        for (_, total) in databases { entries.add(total) }
        return combine(entries, functions: functions)
    }

    /// One digest of many entries: of the sum of theirs. Sums of the parts of a file add up to the sum of the file.
    public func combine(_ entries: DigestSum, functions: DigestSum? = nil) -> Digest128 {
        var message = SipHash(key: key)
        message.append(word: 33)
        message.append(entries)
        if let functions, functions.count > 0 { message.append(functions) }
        return message.finish()
    }
}
