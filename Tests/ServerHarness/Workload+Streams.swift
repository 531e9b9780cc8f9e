/// Streams with groups, consumers and pending entries.
extension Workload {
    /// What the workload knows of a stream while it builds one.
    private struct Stream {
        let key: Bytes
        /// Every ID ever added, ascending, deleted ones included.
        var identifiers: [StreamID] = []
        var last: StreamID { identifiers.last ?? StreamID(milliseconds: 0, sequence: 0) }
    }

    mutating func addStream(_ key: Bytes) throws {
        var stream = Stream(key: key)
        switch generator.number(0...9) {
        case 0:
            try add("XGROUP", "CREATE", key, "group", generator.pick(["$", "0", "0-5"]), "MKSTREAM")
            return
        case 1:
            try addBorderEntries(&stream)
        default:
            try addEntries(&stream, count: generator.oneIn(5) ? generator.number(100...350) : generator.number(1...40))
        }
        if generator.oneIn(4) { try delete(from: stream) }
        let groups = try addGroups(to: stream)
        for group in groups { try read(stream, group: group) }
        if generator.oneIn(2) { try delete(from: stream) }
        if generator.oneIn(4) { try addEntries(&stream, count: 3) }
        for group in groups where generator.oneIn(2) { try move(stream, group: group) }
        if generator.oneIn(8) { try add("XTRIM", key, "MAXLEN", 0) }
        if generator.oneIn(6) { try setIdentifier(of: stream) }
    }

    // MARK: Entries

    private mutating func addEntries(_ stream: inout Stream, count: Int) throws {
        let names = elements(generator.number(1...5), upTo: 30)
        // After an ID near the end of the range there is hardly room for more.
        guard stream.last.milliseconds < 1 << 60 else { return }
        for _ in 0..<count {
            var identifier = stream.last
            if identifier.milliseconds < 1_700_000_000_000 { identifier.milliseconds = 1_700_000_000_000 }
            if generator.oneIn(4), identifier.sequence < 1 << 60 {
                identifier.sequence += UInt64(generator.pick([1, 2, 200, 70_000]))
            } else {
                identifier.milliseconds += UInt64(generator.pick([1, 10, 1_000, 5_000_000]))
                // Smaller than in the entry before: differences of sequence numbers can be negative.
                identifier.sequence = UInt64(generator.number(0...9))
            }
            // Mostly the same names in the same order, which is stored in a shorter form.
            var fields = names
            if generator.oneIn(6) { fields = elements(generator.number(1...7), upTo: 30) }
            if generator.oneIn(12) { fields.reverse() }
            let maxLength = generator.oneIn(20) ? 5_000 : 40
            try add(
                "XADD", stream.key, identifier.description,
                Arguments(fields.flatMap { [$0, generator.bytes(upTo: maxLength)] }))
            stream.identifiers.append(identifier)
        }
    }

    /// IDs at the ends of both halves' ranges.
    private mutating func addBorderEntries(_ stream: inout Stream) throws {
        let identifiers: [StreamID] = [
            StreamID(milliseconds: 0, sequence: 1), StreamID(milliseconds: 0, sequence: .max),
            StreamID(milliseconds: 1, sequence: 0), StreamID(milliseconds: 1 << 32, sequence: 1 << 31),
            StreamID(milliseconds: 1 << 63, sequence: 5), StreamID(milliseconds: .max, sequence: 0),
            StreamID(milliseconds: .max, sequence: .max - 1),
        ]
        for identifier in generator.sample(identifiers, generator.number(1...7)) {
            try add("XADD", stream.key, identifier.description, "field", generator.bytes())
            stream.identifiers.append(identifier)
        }
    }

    /// More than 65 535 elements in one listpack.
    mutating func addCrowdedStream() throws {
        let key = newKey()
        try add("CONFIG", "SET", "stream-node-max-entries", 0)
        try add("CONFIG", "SET", "stream-node-max-bytes", 0)
        for index in 1...14_000 { try add("XADD", key, "\(index)-1", "a", index) }
        try add("XDEL", key, "1-1", "7000-1")
    }

    private mutating func delete(from stream: Stream) throws {
        switch generator.number(0...4) {
        case 0:
            try add("XTRIM", stream.key, "MAXLEN", stream.identifiers.count / 2)
        case 1:
            let identifier = generator.pick(stream.identifiers)
            try add("XTRIM", stream.key, "MINID", identifier.description)
        case 2:
            try delete([stream.identifiers[0], stream.last], from: stream)
        case 3:
            try delete(generator.sample(stream.identifiers, stream.identifiers.count / 3 + 1), from: stream)
        default:
            // A whole stretch, so that nodes lose all of their entries.
            let start = generator.number(0...stream.identifiers.count - 1)
            try delete(Array(stream.identifiers[start...].prefix(20)), from: stream)
        }
    }

    private mutating func delete(_ identifiers: [StreamID], from stream: Stream) throws {
        try add("XDEL", stream.key, Arguments(identifiers.map(\.description)))
    }

    private mutating func setIdentifier(of stream: Stream) throws {
        guard stream.last.milliseconds < 1 << 60 else { return }
        var identifier = stream.last
        identifier.milliseconds += 5
        if server.isRedis7 {
            let added = stream.identifiers.count + generator.number(0...1_000_000)
            try add(
                "XSETID", stream.key, identifier.description, "ENTRIESADDED", added, "MAXDELETEDID",
                stream.last.description)
        } else {
            try add("XSETID", stream.key, identifier.description)
        }
    }

    // MARK: Groups

    private mutating func consumer() -> Bytes {
        generator.oneIn(12) ? generator.bytes(upTo: 30) : Bytes("consumer\(generator.number(0...3))".utf8)
    }

    private mutating func addGroups(to stream: Stream) throws -> [Bytes] {
        let names: [Bytes] = [
            Bytes("workers".utf8), Bytes("группа".utf8), Bytes("$base64:".utf8), Bytes("12".utf8), [0xff, 0, 0xfe],
            [],
        ]
        let groups = generator.sample(names, generator.number(0...3))
        for group in groups {
            let start = generator.pick(["0", "0", "0", "$", generator.pick(stream.identifiers).description])
            var options: [String] = []
            if server.isRedis7 && generator.oneIn(4) {
                options = ["ENTRIESREAD", String(generator.number(0...stream.identifiers.count))]
            }
            try add("XGROUP", "CREATE", stream.key, group, start, Arguments(options))
            if generator.oneIn(3) { try add("XGROUP", "CREATECONSUMER", stream.key, group, "never active") }
        }
        return groups
    }

    private mutating func read(_ stream: Stream, group: Bytes) throws {
        for _ in 0..<generator.number(0...5) {
            let name = consumer()
            let count = generator.number(1...stream.identifiers.count / 3 + 2)
            let acknowledge = generator.oneIn(10) ? ["NOACK"] : []
            try add(
                "XREADGROUP", "GROUP", group, name, "COUNT", count, Arguments(acknowledge), "STREAMS", stream.key, ">")
            if generator.oneIn(3) {
                // Reading the pending entries again counts as another delivery.
                try add("XREADGROUP", "GROUP", group, name, "COUNT", count / 2 + 1, "STREAMS", stream.key, "0")
            }
            if generator.oneIn(2) {
                let done = generator.sample(stream.identifiers, stream.identifiers.count / 4 + 1)
                try add("XACK", stream.key, group, Arguments(done.map(\.description)))
            }
        }
    }

    /// Moves pending entries between consumers, and changes the group itself.
    private mutating func move(_ stream: Stream, group: Bytes) throws {
        let chosen = generator.sample(stream.identifiers, generator.number(1...8)).map(\.description)
        switch generator.number(0...5) {
        case 0:
            try add("XCLAIM", stream.key, group, consumer(), 0, Arguments(chosen))
        case 1:
            try add(
                "XCLAIM", stream.key, group, consumer(), 0, Arguments(chosen), "TIME",
                generator.number(1_500_000_000_000...1_700_000_000_000), "RETRYCOUNT",
                generator.pick([0, 1, 130, 70_000, 1 << 40]), "FORCE", "JUSTID")
        case 2:
            try add("XAUTOCLAIM", stream.key, group, consumer(), 0, "0", "COUNT", generator.number(1...50))
        case 3:
            try add("XAUTOCLAIM", stream.key, group, consumer(), 0, chosen[0], "JUSTID")
        case 4:
            try add("XGROUP", "DELCONSUMER", stream.key, group, "consumer\(generator.number(0...3))")
        default:
            try add("XGROUP", "SETID", stream.key, group, chosen[0])
        }
    }
}
