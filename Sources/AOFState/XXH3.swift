import RDBBytes

/// XXH3 with 128 bits of output, its own secret and no seed: what Redis makes the IDs of idempotent producers with.
/// Source: the algorithm's description, Cyan4973/xxHash doc/xxhash_spec.md.
enum XXH3 {
    struct Digest: Equatable {
        var low: UInt64
        var high: UInt64
    }

    private static let smallPrime1: UInt64 = 0x9e37_79b1
    private static let smallPrime2: UInt64 = 0x85eb_ca77
    private static let smallPrime3: UInt64 = 0xc2b2_ae3d
    private static let prime1: UInt64 = 0x9e37_79b1_85eb_ca87
    private static let prime2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
    private static let prime3: UInt64 = 0x1656_67b1_9e37_79f9
    private static let prime4: UInt64 = 0x85eb_ca77_c2b2_ae63
    private static let prime5: UInt64 = 0x27d4_eb2f_1656_67c5

    private static let secret: [UInt8] = [
        0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
        0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
        0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
        0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
        0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
        0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
        0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
        0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
        0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
        0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
        0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
        0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
    ]

    /// The digest of at least 4 bytes: shorter inputs have a form of their own, which nothing here needs.
    static func digest(_ input: RawSpan) -> Digest {
        precondition(input.byteCount >= 4)
        switch input.byteCount {
        case ...8: return digestTo8(input)
        case ...16: return digestTo16(input)
        case ...240: return digestTo240(input)
        default: return digestLong(input)
        }
    }

    // MARK: - Up to 240 bytes

    private static func digestTo8(_ input: RawSpan) -> Digest {
        let count = input.byteCount
        let text = UInt64(word32(input, 0)) | UInt64(word32(input, count - 4)) << 32
        let keyed = text ^ key(16) ^ key(24)
        var product = keyed.multipliedFullWidth(by: prime1 &+ UInt64(count) << 2)
        product.high &+= product.low << 1
        product.low ^= product.high >> 3
        var low = product.low
        low ^= low >> 35
        low &*= 0x9fb2_1c65_1e98_df25
        low ^= low >> 28
        return Digest(low: low, high: avalanche(product.high))
    }

    private static func digestTo16(_ input: RawSpan) -> Digest {
        let count = input.byteCount
        let low = word(input, 0)
        var high = word(input, count - 8)
        var product = (low ^ high ^ key(32) ^ key(40)).multipliedFullWidth(by: prime1)
        product.low &+= UInt64(count - 1) << 54
        high ^= key(48) ^ key(56)
        product.high &+= high &+ (high & 0xffff_ffff) &* (smallPrime2 - 1)
        product.low ^= product.high.byteSwapped
        var result = product.low.multipliedFullWidth(by: prime2)
        result.high &+= product.high &* prime2
        return Digest(low: avalanche(result.low), high: avalanche(result.high))
    }

    private static func digestTo240(_ input: RawSpan) -> Digest {
        let count = input.byteCount
        var sum = Digest(low: UInt64(count) &* prime1, high: 0)
        if count <= 128 {
            for step in stride(from: (count - 1) / 32, through: 0, by: -1) {
                mix(&sum, input, step * 16, count - step * 16 - 16, step * 32)
            }
        } else {
            for at in stride(from: 0, to: 128, by: 32) { mix(&sum, input, at, at + 16, at) }
            sum = Digest(low: avalanche(sum.low), high: avalanche(sum.high))
            for at in stride(from: 128, through: count - 32, by: 32) { mix(&sum, input, at, at + 16, at - 125) }
            mix(&sum, input, count - 16, count - 32, 103)
        }
        let high = sum.low &* prime1 &+ sum.high &* prime4 &+ UInt64(count) &* prime2
        return Digest(low: avalanche(sum.low &+ sum.high), high: 0 &- avalanche(high))
    }

    /// Two groups of 16 bytes, each into one half, and both halves into the other.
    private static func mix(_ sum: inout Digest, _ input: RawSpan, _ first: Int, _ second: Int, _ keyAt: Int) {
        let a = word(input, first)
        let b = word(input, first + 8)
        let c = word(input, second)
        let d = word(input, second + 8)
        sum.low = (sum.low &+ folded(a ^ key(keyAt), b ^ key(keyAt + 8))) ^ (c &+ d)
        sum.high = (sum.high &+ folded(c ^ key(keyAt + 16), d ^ key(keyAt + 24))) ^ (a &+ b)
    }

    // MARK: - More

    private static let stripeByteCount = 64
    private static let stripesPerBlock = 16

    private static func digestLong(_ input: RawSpan) -> Digest {
        let count = input.byteCount
        var lanes: InlineArray<8, UInt64> = [
            smallPrime3, prime1, prime2, prime3, prime4, smallPrime2, prime5, smallPrime1,
        ]
        // The last stripe, which may overlap the one before it, has a key of its own.
        let stripeCount = (count - 1) / stripeByteCount
        for stripe in 0..<stripeCount {
            add(&lanes, input, stripe * stripeByteCount, stripe % stripesPerBlock * 8)
            if stripe % stripesPerBlock == stripesPerBlock - 1 { scramble(&lanes) }
        }
        add(&lanes, input, count - stripeByteCount, 121)
        return Digest(
            low: merged(lanes, 11, UInt64(count) &* prime1), high: merged(lanes, 117, ~(UInt64(count) &* prime2)))
    }

    private static func add(_ lanes: inout InlineArray<8, UInt64>, _ input: RawSpan, _ at: Int, _ keyAt: Int) {
        for lane in 0..<8 {
            let value = word(input, at + lane * 8)
            let keyed = value ^ key(keyAt + lane * 8)
            lanes[lane ^ 1] &+= value
            lanes[lane] &+= (keyed & 0xffff_ffff) &* (keyed >> 32)
        }
    }

    private static func scramble(_ lanes: inout InlineArray<8, UInt64>) {
        for lane in 0..<8 {
            lanes[lane] = (lanes[lane] ^ lanes[lane] >> 47 ^ key(128 + lane * 8)) &* smallPrime1
        }
    }

    private static func merged(_ lanes: InlineArray<8, UInt64>, _ keyAt: Int, _ start: UInt64) -> UInt64 {
        var sum = start
        for pair in 0..<4 {
            sum &+= folded(lanes[pair * 2] ^ key(keyAt + pair * 16), lanes[pair * 2 + 1] ^ key(keyAt + pair * 16 + 8))
        }
        return avalanche(sum)
    }

    // MARK: - Words

    private static func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.low ^ product.high
    }

    private static func avalanche(_ value: UInt64) -> UInt64 {
        var value = value
        value ^= value >> 37
        value &*= 0x1656_6791_9e37_79f9
        return value ^ value >> 32
    }

    private static func key(_ at: Int) -> UInt64 { word(secret.rawSpan, at) }

    private static func word(_ input: RawSpan, _ at: Int) -> UInt64 {
        // Any bits are a number; the load checks that they lie within the input.
        UInt64(littleEndian: unsafe input.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    private static func word32(_ input: RawSpan, _ at: Int) -> UInt32 {
        UInt32(littleEndian: unsafe input.unsafeLoadUnaligned(fromByteOffset: at, as: UInt32.self))
    }
}
