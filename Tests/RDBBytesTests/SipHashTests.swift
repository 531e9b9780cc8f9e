import RDBBytes
import RDBTestSupport
import Testing

@Suite("SipHash")
struct SipHashTests {
    /// Of the messages of 0, 1, 2 … bytes 00 01 02 … under the key 00 … 0f, made by the authors' reference program.
    /// Source: veorq/SipHash siphash.c, compiled with -DcROUNDS=1 -DdROUNDS=3; the first one also stands in
    /// jedisct1/rust-siphash src/tests128.rs.
    static let vectors = """
        e77ebcb22788a5befd62db6add303001 fc6f370460d3eda85e0573cc2b2ff063 75787f090569839b855bc9548c6aea95
        6bc5ccfa1edcf79f4823187712ebd743 0c784e71ac2b285a9f8e92e78fbf2c25 f328db89345b620c795229a42695843e
        dcd03d29f743e7100951b0e83985a6f8 1084b923f2aae0c3a62f2ec80848ab77 aa12fee1d5e3dab4724f16ab35f9c799
        81ddb8042cf33994f4720e0094137c42 4faa541d5d498e89ba0ea4c387b22fb4 723b9af3554491dbb1d6633dfc6e0c4e
        e53f92859e4819a8dc0695739fea8c65 b2f858c7c9ea801d53d603596d657844 87e76268dbc9227226b0ca665f64e378
        c17e5505b2bd526c2921cdec1e7e0109 d0a8d95715518eebb513b0f83d9e1793 234126f93fbb668d975112e8febdf7ec
        ef42f03db78f704d023c449f16b7092b abf76238c20af161b2314b4d5526bce9 3c2c2f11bb90cf0be335ca9b2e91e9b7
        2a7a680f22a02a92f45149d20fece0ef c9a8d130231dd43e42e6456957f83779 1d127b84405ceab99fd8775a9be6c559
        9e4bf837bcfd92cace09d2061a84d04a 39031a965d73b4af5a274d18f973b1d2 7f4d0a1209d67e4ed06f7538e1cfad64
        e61ee240fbdcce38969f4cd24927dd93 4c3ba2b37b0fdd8cfa5e95c189b29414 e06fd4ca066fecdd54068a5ad8896f86
        5ca84c34139c6580a88af24990720706 42ea961c5b3c858b17c3e550dfa79010 406c44dee67857b2943160f30c7417d3
        c5f57bae1320fcf4b4e868e71d56c66b 04bf737a5b676be7c3de05017df4bff9 5163c9c03f1907ea1044ed5c30727b4f
        37a110f002718edad24b3f9ee453f140 b9877e381aedd3da08c33e75ff23ac10 7c5004005ec5da4c5ac9440e5c723193
        81b8243783dbc646ca9d0cd82abdb46c 505720543eb9b413d50b3cfad9eef938 945f594de72411e4d335be874456d8f3
        37923b3e371777b21170bf9d7e62f602 3ad4e7c85764964611eb0a6c4d62de56 cd91396c44af4f5185578d9dd9803f0a
        fe28158e727b868f3903c9acda64a258 40cc10b8288ce5f0bc3ac0b68a0eebc8 6f1490f540699a3cd4974420ecc92737
        d505f1b75e1a84a603c43583b2ed0308 491573cfd72bb4682b7ca5880e1c8d6f 3ed69cfe45ab403f2fd2ad959ba27666
        8be839ef1b20b57c83ba7eb6a8c22b6a 1409186ab42231fedee18162cf1cb4ca 2bf3ccc24ab672cf151fb8d2f3f3069b
        b9b93a2882d6025cdb8c56fa13f7537b d97cca3694fb206db8bd1f3650c33322 94ec2e19a40be41af3940d6b30c49384
        4b41603f209a045be140a341a3dffe10 23fbcb309f1cf094890755ab1b426569 e7d9b65690918a2b232f2f5c12c8300e
        ade83cf7e7f3847b36fa4b54b00dce61 0610c5f2ee571c8ac80cbfe538bdf1c7 271d5d00fbdb5d155d9dcea97cb40218
        4c5800e34efe426f079f6b0aa75260ad
        """.split { $0 == " " || $0 == "\n" }.map { hex(String($0)) }

    static let key = Digest128(high: 0x0f0e_0d0c_0b0a_0908, low: 0x0706_0504_0302_0100)

    /// Of 16 bytes, read as two little-endian numbers.
    static func digest(_ bytes: [UInt8]) -> Digest128 {
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        return Digest128(high: word(bytes[8...]), low: word(bytes[..<8]))
    }

    static func hash(_ bytes: [UInt8]) -> Digest128 {
        var hash = SipHash(key: key)
        hash.append(bytes.rawSpan)
        return hash.finish()
    }

    @Test("the authors' vectors", arguments: 0..<64)
    func known(_ count: Int) {
        #expect(Self.vectors.count == 64)
        #expect(Self.hash((0..<count).map { UInt8($0) }) == Self.digest(Self.vectors[count]))
    }

    @Test("the authors' vectors, byte by byte and in any pieces", arguments: 1...20 as ClosedRange<UInt64>)
    func pieces(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let message = (0..<63).map { UInt8($0) }
        for largest in [1, 3, 8, 20] {
            var hash = SipHash(key: Self.key)
            var index = 0
            while index < 63 {
                let end = min(63, index + Int.random(in: 0...largest, using: &random))
                hash.append(message.rawSpan.extracting(index..<end))
                index = end
                #expect(hash.finish() == Self.digest(Self.vectors[index]), "seed \(seed), \(index) bytes")
            }
        }
    }

    /// What a message goes on with for a text, from the description of its form.
    static func form(_ text: [UInt8], behind message: [UInt8] = []) -> [UInt8] {
        func zeros(_ multiple: Int) -> [UInt8] {
            [UInt8](repeating: 0, count: (multiple - text.count % multiple) % multiple)
        }
        let count = RDB.littleEndian(UInt64(text.count))
        if text.count < 8 { return text + [UInt8](repeating: 0, count: 7 - text.count) + [0x80 + UInt8(text.count)] }
        if text.count < 1024 { return count + text + zeros(8) }
        let padded = text + zeros(32)
        return count
            + (0..<4).flatMap { lane in
                let words = stride(from: lane * 8, to: padded.count, by: 32).flatMap { padded[$0..<$0 + 8] }
                let digest = hash(message + count + RDB.littleEndian(UInt64(lane)) + words)
                return RDB.littleEndian(digest.low) + RDB.littleEndian(digest.high)
            }
    }

    @Test(
        "a text is hashed in its form, at any alignment, whole and in chunks",
        arguments: Array(0...40) + [1016, 1023, 1024, 1025, 1031, 1032, 1055, 1056, 1057, 5000])
    func text(_ count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let bytes = random.bytes(count + 8)
        let head = RDB.littleEndian(UInt64(7))
        for from in 0..<8 {
            let text = bytes.rawSpan.extracting(from..<from + count)
            let expected = Self.hash(head + Self.form(text.array, behind: head) + Self.form([0xff]))
            var whole = SipHash(key: Self.key)
            whole.append(word: 7)
            whole.append(text: text)
            whole.append(text: [0xff].rawSpan)
            #expect(whole.finish() == expected)
            for size in [1, 2, 3, 7, 8, 9, 31, 32, 33, 100, 1024, 5000] {
                var parts = SipHash(key: Self.key)
                parts.append(word: 7)
                var inChunks = parts.beginText(byteCount: UInt64(count))
                for index in stride(from: 0, to: count, by: size) {
                    parts.append(text.extracting(index..<min(count, index + size)), to: &inChunks)
                }
                parts.endText(inChunks)
                parts.append(text: [0xff].rawSpan)
                #expect(parts.finish() == expected, "chunks of \(size)")
            }
        }
    }

    @Test(
        "a number is its decimal text", arguments: [0, 1, -1, 9, 10, 99, 1_234_567, 12_345_678, .min, .max] as [Int64])
    func decimal(_ value: Int64) {
        var number = SipHash(key: Self.key)
        number.append(decimal: value)
        #expect(number.finish() == Self.hash(Self.form(Array(String(value).utf8))))
    }

    @Test("words are eight bytes each, lowest first")
    func words() {
        var hash = SipHash(key: Self.key)
        hash.append(word: 0x0706_0504_0302_0100)
        hash.append(words: 0x0f0e_0d0c_0b0a_0908, 0x1716_1514_1312_1110)
        #expect(hash.finish() == Self.digest(Self.vectors[24]))
    }

    @Test("a copy goes on from the same beginning")
    func copy() {
        var first = SipHash(key: Self.key)
        first.append([0, 1, 2].rawSpan)
        var second = first
        second.append([3].rawSpan)
        #expect(first.finish() == Self.digest(Self.vectors[3]))
        #expect(second.finish() == Self.digest(Self.vectors[4]))
    }

    @Test("digests add up modulo 2^128, and print highest digit first")
    func sums() {
        var sum = Digest128(high: 1, low: .max)
        sum &+= Digest128(high: 2, low: 1)
        #expect(sum == Digest128(high: 4, low: 0))
        sum &+= Digest128(high: .max - 3, low: 0xab)
        #expect(sum == Digest128(high: 0, low: 0xab))
        #expect(sum.description == "000000000000000000000000000000ab")
        #expect(Digest128(high: 1, low: 0) > Digest128(high: 0, low: .max))
    }

    @Test("messages side by side have the digests that they have alone", arguments: 1...20 as ClosedRange<UInt64>)
    func group(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var group = SipHashGroup()
        var expected: [Digest128] = []
        var tooLong = 0
        func settle() {
            let digests = group.digests()
            #expect((0..<group.count).map { digests[$0] } == expected, "seed \(seed)")
            expected = []
            group.removeAll()
        }
        for _ in 0..<200 {
            var message = SipHash(key: Self.key)
            for _ in 0..<Int.random(in: 0...3, using: &random) { message.append(word: random.next()) }
            group.begin(after: message)
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                // Also longer ones than a lane holds.
                let text = random.words([5, 20, 100, 300].randomElement(using: &random)!)
                if group.append(text: text.rawSpan) {
                    message.append(text: text.rawSpan)
                } else {
                    tooLong += 1
                    #expect(text.count + 16 > 256 - 8 * group.wordCount)
                    #expect(group.message(wordCount: group.wordCount).finish() == message.finish(), "seed \(seed)")
                }
                let number = Int64(bitPattern: random.next() >> UInt64.random(in: 0...63, using: &random))
                if group.append(decimal: number) { message.append(decimal: number) }
            }
            if Int.random(in: 0..<10, using: &random) == 0 {
                group.drop()
                continue
            }
            expected.append(message.finish())
            group.next()
            if group.isFull || Int.random(in: 0..<20, using: &random) == 0 { settle() }
        }
        settle()
        #expect(tooLong > 0)
    }
}
