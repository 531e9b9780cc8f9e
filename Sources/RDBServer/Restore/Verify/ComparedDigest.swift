import RDBKit

/// What tells whether a value at the target is the one of the file.
struct ComparedDigest {
    private let plan: RestorePlan
    private var data: EntryDigest
    private var vectors = RedisDigest(.init(writesShortScores: true, marksFieldExpiries: false), .value)

    init(_ plan: RestorePlan) {
        self.plan = plan
        data = EntryDigest(plan.comparedParts)
    }

    /// Of the value that the reader stands at, under that header and key.
    mutating func digest(
        _ reader: inout RDBReader, _ header: EntryHeader, key: RawSpan
    ) throws(DecodeError) -> Digest128 {
        if header.type == .module, reader.type == .module2, let digest = try vectorSet(&reader, header, key: key) {
            return digest
        }
        data.fieldsExpireAfter = plan.comparedFieldExpiry
        data.begin(header, key: key)
        try reader.readValue(into: &data)
        return data.finish()
    }

    /// Of a vector set what it holds: its elements, their vectors and attributes. A server that reads the value lays out
    /// the graph between them anew, so that no two payloads are the same.
    /// - Returns: nil where the value is none; then the reader stands at it as before.
    private mutating func vectorSet(
        _ reader: inout RDBReader, _ header: EntryHeader, key: RawSpan
    ) throws(DecodeError) -> Digest128? {
        guard try reader.moduleID().name == "vectorset" else { return nil }
        var bare = header
        // Compared by itself.
        bare.expiresAt = nil
        vectors.begin(bare, key: key)
        try reader.readValue(into: &vectors)
        guard vectors.refusal == nil else {
            try reader.rewindToValue()
            return nil
        }
        let words = vectors.finish().words
        return Digest128(
            high: UInt64(words[0]) << 32 | UInt64(words[1]), low: UInt64(words[2]) << 32 | UInt64(words[3]))
    }

    mutating func digest(string value: RawSpan, _ header: EntryHeader, key: RawSpan) -> Digest128 {
        data.begin(header, key: key)
        data.text(value, as: .string)
        return data.finish()
    }

    /// Of an entry whose elements have all expired.
    mutating func digestOfNothing(_ header: EntryHeader, key: RawSpan) -> Digest128 {
        data.begin(header, key: key)
        return data.finish()
    }
}
