/// Sorted sets, and the types that are sorted sets inside or built like them.
extension Workload {
    mutating func addSortedSet(_ key: Bytes) throws {
        let count = generator.oneIn(8) ? generator.number(130...600) : generator.number(1...60)
        let maxLength = generator.pick([60, 60, 60, 60, 3_000, 20_000])
        // One score for all puts the members in the order of their bytes.
        let single = generator.oneIn(6) ? generator.score() : nil
        var pairs: [Bytes] = []
        for _ in 0..<count {
            pairs += (single ?? generator.score()).commandArguments + [generator.bytes(upTo: maxLength)]
        }
        try add("ZADD", key, Arguments(pairs))
        if generator.oneIn(3) { try add("ZINCRBY", key, 0.1, "incremented") }
        if generator.oneIn(4) { try add("ZADD", key, 3, "member", "-0", "negative zero", "inf", "infinite") }
    }

    mutating func addGeo(_ key: Bytes) throws {
        for index in 0..<generator.number(1...200) {
            let longitude = Double(generator.number(-180_000_000...180_000_000)) / 1e6
            let latitude = Double(generator.number(-85_000_000...85_000_000)) / 1e6
            try add("GEOADD", key, longitude, latitude, "place:\(index)")
        }
    }

    mutating func addVectors(_ key: Bytes) throws {
        let form = generator.pick(["NOQUANT", "Q8", "BIN"])
        let dimension = generator.number(1...40)
        for index in 0..<generator.number(1...30) {
            let values = (0..<dimension).map { _ in String(Double(generator.number(-1_000...1_000)) / 256) }
            let element = Bytes("element:\(index)".utf8)
            try add("VADD", key, "VALUES", dimension, Arguments(values), element, form)
            if generator.oneIn(3) { try add("VSETATTR", key, element, #"{"year":1999}"#) }
        }
    }
}
