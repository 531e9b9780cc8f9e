/// Lists, sets and hashes.
extension Workload {
    /// Mostly few elements, sometimes enough to leave the compact encodings.
    private mutating func elementCount() -> Int {
        switch generator.number(0...9) {
        case 0: 1
        case 1...6: generator.number(2...30)
        case 7, 8: generator.number(31...200)
        default: generator.number(120...700)
        }
    }

    mutating func elements(_ count: Int, upTo maxLength: Int) -> [Bytes] {
        (0..<count).map { _ in generator.bytes(upTo: maxLength) }
    }

    // MARK: Lists

    mutating func addList(_ key: Bytes) throws {
        let elements = elements(elementCount(), upTo: generator.oneIn(6) ? 5_000 : 100)
        try add(generator.oneIn(2) ? "RPUSH" : "LPUSH", key, Arguments(elements))
        if generator.oneIn(3) { try add("LINSERT", key, "BEFORE", elements[0], generator.bytes()) }
        if generator.oneIn(3) { try add("LSET", key, -1, generator.bytes()) }
        if generator.oneIn(4) && elements.count > 4 { try add("LTRIM", key, 1, -2) }
    }

    mutating func addLargeLists() throws {
        let key = newKey()
        // Elements larger than a node, then enough small ones for several nodes around them.
        for size in [8_190, 8_200, 9_000, 40_000] { try add("RPUSH", key, generator.letters(size)) }
        for size in [64, 500, 70_000] { try add("RPUSH", key, generator.mixture(size)) }
        let many = newKey()
        try add("RPUSH", many, Arguments(elements(1_200, upTo: 60)))
        try add("RPUSH", many, generator.random(66_000))
        try add("LPUSH", many, Arguments(elements(100, upTo: 60)))
    }

    // MARK: Sets

    mutating func addSet(_ key: Bytes) throws {
        let count = elementCount()
        if generator.oneIn(2) {
            // 16, 32 or 64 bit members; sometimes one member of another width is added at the end.
            let border = generator.pick([15, 31, 62])
            var members = (0..<count).map { _ in generator.number(-(1 << border)...(1 << border) - 1) }
            if border == 62 { members += [.min, .max] }
            try add("SADD", key, Arguments(members.map(String.init)))
            if generator.oneIn(3) { try add("SADD", key, Arguments([generator.integerText()])) }
            if generator.oneIn(3) { try add("SREM", key, Arguments([String(members[0])])) }
            // Without this the set could be gone, and the expiry after it would find no key.
            try add("SADD", key, "7")
        } else {
            try add("SADD", key, Arguments(elements(count, upTo: generator.oneIn(6) ? 3_000 : 70)))
        }
    }

    // MARK: Hashes

    mutating func addHash(_ key: Bytes) throws {
        let maxLength = generator.pick([70, 70, 70, 70, 5_000, 20_000])
        try add("HSET", key, Arguments(elements(2 * elementCount(), upTo: maxLength)))
        if generator.oneIn(3) { try add("HINCRBY", key, "counter", generator.number(-5...5)) }
        if generator.oneIn(3) { try add("HINCRBYFLOAT", key, "fraction", 0.25) }
    }

    /// A hash with an expiry at some, all or none of its fields.
    mutating func addExpiringHash(_ key: Bytes) throws {
        let fields = (0..<elementCount()).map { Bytes("\($0)".utf8) + generator.bytes(upTo: 40) }
        try add("HSET", key, Arguments(fields.flatMap { [$0, generator.bytes(upTo: 60)] }))
        for part in 0..<generator.number(1...4) {
            let expiry = generator.number(2_051_222_400_000...4_102_444_800_000)
            let chosen = part == 0 && generator.oneIn(4) ? fields : generator.sample(fields, fields.count / 3 + 1)
            try add("HPEXPIREAT", key, expiry, "FIELDS", chosen.count, Arguments(chosen))
        }
        if generator.oneIn(3) {
            let chosen = generator.oneIn(2) ? fields : generator.sample(fields, fields.count / 2 + 1)
            try add("HPERSIST", key, "FIELDS", chosen.count, Arguments(chosen))
        }
        if generator.oneIn(3) { try add("HSET", key, fields[0], "written again") }
    }

    /// More than 65 535 elements in one ziplist or listpack.
    mutating func addCrowdedHash() throws {
        let key = newKey()
        // The server looks through all of it for each field, so most of the time of this seed goes here.
        for start in stride(from: 0, to: 33_000, by: 1_000) {
            try add("HSET", key, Arguments((start..<start + 1_000).flatMap { ["\($0)", "v\($0 % 10)"] }))
        }
    }

    /// Tables that no threshold of this workload keeps compact.
    mutating func addLargeTables() throws {
        try add("SADD", newKey(), Arguments(elements(2_500, upTo: 40)))
        try add("SADD", newKey(), Arguments((0..<4_500).map { String($0 * 7 - 9_000) }))
        try add("HSET", newKey(), Arguments(elements(2 * 2_100, upTo: 40)))
        var pairs: [Bytes] = []
        for index in 0..<2_200 { pairs += generator.score().commandArguments + [Bytes("member:\(index)".utf8)] }
        try add("ZADD", newKey(), Arguments(pairs))
        if server.hasFieldExpiry {
            let key = newKey()
            let fields = (0..<2_100).map { Bytes("field:\($0)".utf8) }
            try add("HSET", key, Arguments(fields.flatMap { [$0, generator.bytes(upTo: 20)] }))
            let chosen = generator.sample(fields, 700)
            try add("HPEXPIREAT", key, 4_102_444_800_000, "FIELDS", chosen.count, Arguments(chosen))
        }
    }
}
