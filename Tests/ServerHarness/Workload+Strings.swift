/// Strings, and the types that are strings inside.
extension Workload {
    mutating func addString(_ key: Bytes) throws {
        try add("SET", key, generator.bytes(upTo: generator.oneIn(10) ? 20_000 : 600))
        // An integer that has been appended to is no longer stored as one in memory.
        if generator.oneIn(8) { try add("APPEND", key, generator.integerText()) }
        if generator.oneIn(12) { try add("SETRANGE", key, generator.number(0...200), generator.bytes(upTo: 20)) }
    }

    mutating func addNumberString(_ key: Bytes) throws {
        switch generator.number(0...3) {
        case 0: try add("INCRBY", key, generator.number(-1_000...1_000))
        case 1: try add("INCRBYFLOAT", key, Double(generator.number(-10_000...10_000)) / 64)
        default: try add("SET", key, generator.oneIn(4) ? generator.integerLike() : generator.integerText())
        }
    }

    mutating func addHyperLogLog(_ key: Bytes) throws {
        // Few elements stay sparse, thousands become dense.
        let count = generator.oneIn(2) ? generator.number(0...30) : 2_500
        let elements = (0..<count).map { "element-\($0)-\(generator.number(0...99))" }
        try add("PFADD", key, Arguments(elements))
        if generator.oneIn(2) { try add("PFCOUNT", key) }
        // The two keys would be in different slots of a cluster.
        if generator.oneIn(2) && !scenario.isCluster { try add("PFMERGE", newKey(), key) }
    }

    mutating func addBitmap(_ key: Bytes) throws {
        for _ in 0..<generator.number(1...30) {
            try add("SETBIT", key, generator.number(0...20_000), generator.number(0...1))
        }
        if generator.oneIn(2) {
            try add("BITFIELD", key, "SET", "i\(generator.number(2...64))", generator.number(0...500), -1)
        }
    }

    /// Values whose size alone makes a difference.
    mutating func addLargeValues() throws {
        try add("SET", newKey(), generator.letters(generator.number(100_000...200_000)))
        try add("SET", newKey(), generator.mixture(generator.number(50_000...100_000)))
        try add("SET", newKey(), generator.random(generator.number(65_530...65_550)))
        try add("SET", generator.letters(17_000), "a long key")
        try addLargeLists()
        try addLargeTables()
    }
}
