import RDBBytes

/// The hash by which keys, fields and members are found in memory: keyed anew in each process, so that no file can be
/// made to collide.
enum ByteHash {
    private static let key = Digest128(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))

    static func hash(_ bytes: RawSpan) -> UInt64 {
        var hash = SipHash(key: key)
        hash.append(text: bytes)
        return hash.finish().low
    }
}
