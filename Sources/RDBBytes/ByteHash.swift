/// The hash by which keys, fields, members and prefixes are found in memory: keyed anew in each process, so that no file can be
/// made to collide.
///
/// 16 bytes at a time are mixed with secret words and folded by a multiplication to 128 bits. An input that was made
/// without knowing the secrets cannot steer the product. Not for anything that outlives the process.
public enum ByteHash {
    private static let keys = randomWords()

    /// Of a key in a database.
    public static func hash(database: UInt64, key: RawSpan) -> UInt64 {
        hash(key) &+ database &* 0x9e37_79b9_7f4a_7c15
    }

    public static func hash(_ bytes: RawSpan) -> UInt64 {
        let (key0, key1, key2, key3) = keys
        let count = bytes.byteCount
        var state = key0
        // Every load below stays within count, as the branches and the loop's condition say.
        func word(_ offset: Int) -> UInt64 { unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        func half(_ offset: Int) -> UInt64 {
            UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        if count <= 16 {
            let first: UInt64
            let last: UInt64
            if count >= 8 {
                first = word(0)
                last = word(count - 8)
            } else if count >= 4 {
                first = half(0)
                last = half(count - 4)
            } else if count > 0 {
                first =
                    UInt64(bytes.byte(at: 0)) | UInt64(bytes.byte(at: count >> 1)) << 8
                    | UInt64(bytes.byte(at: count - 1)) << 16
                last = 0
            } else {
                first = 0
                last = 0
            }
            state = fold(first ^ key1 ^ state, last ^ key2)
        } else {
            var offset = 0
            while count - offset > 16 {
                state = fold(word(offset) ^ key1 ^ state, word(offset + 8) ^ key2)
                offset += 16
            }
            state = fold(word(count - 16) ^ key1 ^ state, word(count - 8) ^ key2)
        }
        // The length where no byte of the input can undo it: `21111:` and `311111:` are the same two overlapping halves, but
        // for one bit.
        return fold(state ^ key3, key2 ^ UInt64(truncatingIfNeeded: count))
    }

    @inline(__always)
    private static func fold(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let product = first.multipliedFullWidth(by: second)
        return product.high ^ product.low
    }

    private static func randomWords() -> (UInt64, UInt64, UInt64, UInt64) {
        (.random(in: 0 ... .max), .random(in: 0 ... .max), .random(in: 0 ... .max), .random(in: 0 ... .max))
    }
}
