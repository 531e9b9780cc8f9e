import RDBBytes
import RDBTestSupport
import RESPFormat
import Testing

/// What a reader gave, owned.
struct ReadCommand: Equatable {
    var offset: UInt64
    var byteCount: UInt64
    var arguments: [[UInt8]]
    var isIrregular = false
}

/// All that can be read, and the fault that ended it.
func readCommands(
    _ source: any ByteSource, window: Int = 256 << 10, keeping: RESPCommandReader.Keeping = .everything,
    limits: RESPCommandReader.Limits = .init()
) -> (commands: [ReadCommand], annotations: [[UInt8]], error: DecodeError?) {
    var reader = RESPCommandReader(
        ByteWindow(source, initialByteCount: window), acceptsAnnotations: true, keeping: keeping, limits: limits)
    var commands: [ReadCommand] = []
    var annotations: [[UInt8]] = []
    do throws(DecodeError) {
        while true {
            switch try reader.next() {
            case .command:
                let arguments = reader.arguments
                commands.append(
                    ReadCommand(
                        offset: reader.commandOffset, byteCount: reader.commandByteCount,
                        arguments: arguments.arrays,
                        isIrregular: reader.irregularity != nil))
            case .annotation(let isWhole):
                annotations.append(reader.annotation.array + (isWhole ? [] : Array("…".utf8)))
            case .end: return (commands, annotations, nil)
            }
        }
    } catch { return (commands, annotations, error) }
}

@Suite("Reading commands")
struct RESPCommandReaderTests {
    /// Commands of all shapes, small ones most of all.
    static func commands(seed: UInt64, count: Int) -> [[[UInt8]]] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            let arguments = random.next() % 20 == 0 ? Int(random.next() % 200) + 1 : Int(random.next() % 5) + 1
            return (0..<arguments).map { _ in
                let length =
                    switch random.next() % 10 {
                    case 0: 0
                    case 1: Int(random.next() % 3000)
                    default: Int(random.next() % 30)
                    }
                return random.bytes(length)
            }
        }
    }

    @Test("the same commands however the bytes arrive", arguments: [1, 2, 3] as [UInt64])
    func arrival(seed: UInt64) {
        let commands = Self.commands(seed: seed, count: 200)
        var expected: [ReadCommand] = []
        var bytes: [UInt8] = []
        for arguments in commands {
            let text = command(arguments)
            expected.append(
                ReadCommand(offset: UInt64(bytes.count), byteCount: UInt64(text.count), arguments: arguments))
            bytes += text
        }
        for (window, piece) in [(16, 1), (17, 7), (64, 1000), (4096, 3), (256 << 10, Int.max)] {
            let found = readCommands(MemorySource(bytes, pieceByteCount: piece), window: window)
            #expect(found.commands == expected, "seed \(seed), window \(window), pieces of \(piece)")
            #expect(found.error == nil)
        }
    }

    @Test("every prefix gives the whole commands in it, and says where it ends")
    func prefixes() {
        let commands = [["SET", "k", ""], ["MSET", "a", "1", "b", "23456789012345678901234567890"], ["X"]].map {
            command($0.map { Array($0.utf8) })
        }
        let bytes = commands.flatMap { $0 }
        let ends = [commands[0].count, commands[0].count + commands[1].count, bytes.count]
        for count in 0...bytes.count {
            let found = readCommands(MemorySource(Array(bytes.prefix(count)), pieceByteCount: 5))
            #expect(found.commands.count == ends.count { $0 <= count })
            if ends.contains(count) || count == 0 {
                #expect(found.error == nil)
            } else {
                #expect(
                    found.error
                        == DecodeError(
                            .truncated, at: ByteLocation(offset: UInt64(count)), expected: "the rest of a command",
                            found: .endOfInput))
            }
        }
    }

    @Test(
        "what servers load though it is irregular",
        arguments: [
            "*1\n$4\r\nPING\r\n", "*1\r\n$4\nPING\r\n", "*01x\r\n$4\r\nPING\r\n", "* 1\r\n$ +4 bytes\r\nPING\r\n",
            "*1\r\n$4\r\nPINGxy", "*1\r\n$4\r\nPING\n\r",
        ])
    func irregular(_ text: String) {
        let bytes = Array(text.utf8) + command("SET", "k", "v")
        for piece in [1, 3, 1000] {
            let found = readCommands(MemorySource(bytes, pieceByteCount: piece))
            #expect(found.commands.map(\.isIrregular) == [true, false])
            let words = found.commands.map { $0.arguments.map { String(decoding: $0, as: UTF8.self) } }
            #expect(words == [["PING"], ["SET", "k", "v"]])
            #expect(found.error == nil)
        }
    }

    @Test(
        "what nobody loads",
        arguments: [
            ("*0\r\n$4\r\nPING\r\n", 0), ("*-1\r\n", 0), ("PING\r\n", 0), ("$4\r\nPING\r\n", 0),
            ("*1\r\n:4\r\nPING\r\n", 4), ("*1\r\n$-1\r\n", 4), ("*2\r\n$4\r\nPING\r\n*1\r\n", 14),
            ("\0\0\0\0", 0), ("*x\r\n$4\r\nPING\r\n", 0), ("*1\r\n$4\r\nPING\r\n\r\n", 14),
            ("*99999999999999999999\r\n$1\r\nx\r\n", 0), ("*1\r\n$99999999999999999999\r\n", 4),
            ("*1\r\n$536870913\r\n", 4), ("*2147483648\r\n", 0),
            ("*\(String(repeating: "0", count: 1100))1\r\n$4\r\nPING\r\n", 0),
        ] as [(String, UInt64)])
    func faulty(_ text: String, _ offset: UInt64) {
        let before = command("SET", "k", "v")
        for piece in [1, 5, 4000] {
            let found = readCommands(MemorySource(before + Array(text.utf8), pieceByteCount: piece), window: 16)
            #expect(found.error?.offset == UInt64(before.count) + offset)
            #expect(found.error?.code == .badCommand || found.error?.code == .limitExceeded)
            #expect(found.commands.first?.arguments.count == 3)
        }
    }

    @Test("a stated length or count costs nothing until it arrives")
    func lies() {
        for text in ["*2147483647\r\n$1\r\nx\r\n", "*1\r\n$536870912\r\nabc", "*3\r\n$3\r\nSET\r\n$400000000\r\nk\r\n"]
        {
            let found = readCommands(MemorySource(Array(text.utf8)))
            #expect(found.error?.code == .truncated)
            #expect(found.error?.offset == UInt64(text.utf8.count))
        }
    }

    @Test("commands larger than a window, as they are and only their beginnings", arguments: [1, 7] as [UInt64])
    func large(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        // One argument of 3 MiB; 300 000 small ones; a small command between and behind.
        let huge = [Array("SET".utf8), Array("k".utf8), random.bytes(3 << 20), Array("KEEPTTL".utf8)]
        let many = [Array("RPUSH".utf8)] + (0..<300_000).map { _ in random.bytes(Int(random.next() % 12)) }
        let commands = [huge, [Array("PING".utf8)], many, huge, [Array("PING".utf8)]]
        let bytes = commands.flatMap { command($0) }
        for piece in [100_000, Int.max] {
            let found = readCommands(MemorySource(bytes, pieceByteCount: piece))
            #expect(found.error == nil)
            #expect(found.commands.map(\.arguments) == commands)
        }
        let found = readCommands(MemorySource(bytes), keeping: .beginnings)
        #expect(found.error == nil)
        #expect(found.commands.map(\.byteCount) == commands.map { UInt64(command($0).count) })
        #expect(found.commands[0].arguments == [huge[0], huge[1], Array(huge[2].prefix(64 << 10)), huge[3]])
        #expect(found.commands[2].arguments == many)
    }

    @Test("large commands that are cut or wrong say where")
    func largeFaults() {
        let value = [UInt8](repeating: 7, count: 2 << 20)
        let bytes = command([Array("SET".utf8), Array("k".utf8), value, value])
        for count in [1 << 20, (2 << 20) + 30, (2 << 20) + 36, (2 << 20) + 40, bytes.count - 1] {
            let found = readCommands(MemorySource(Array(bytes.prefix(count))))
            #expect(found.error?.code == .truncated)
            #expect(found.error?.offset == UInt64(count))
        }
        var wrong = bytes
        let second = bytes.count - 2 - value.count - 10
        #expect(wrong[second] == UInt8(ascii: "$"))
        wrong[second] = UInt8(ascii: "!")
        let found = readCommands(MemorySource(wrong))
        #expect(found.error?.code == .badCommand)
        #expect(found.error?.offset == UInt64(second))
        wrong = bytes
        wrong[second - 2] = 0
        #expect(readCommands(MemorySource(wrong)).commands.map(\.isIrregular) == [true])
    }

    @Test("limits are obeyed")
    func limits() {
        var limits = RESPCommandReader.Limits()
        limits.maxArgumentByteCount = 5
        let found = readCommands(
            MemorySource(command("SET", "key", "12345") + command("SET", "k", "123456")), limits: limits)
        #expect(found.commands.count == 1)
        #expect(found.error?.code == .limitExceeded)
        #expect(found.error?.found == .unsigned(6))
        limits = .init()
        limits.maxArgumentCount = 2
        #expect(readCommands(MemorySource(command("SET", "k", "v")), limits: limits).error?.code == .limitExceeded)
        limits = .init()
        limits.maxKeptByteCount = 3 << 20
        let value = [UInt8](repeating: 7, count: 2 << 20)
        #expect(
            readCommands(MemorySource(command([value, value])), limits: limits).error?.code == .limitExceeded)
        #expect(
            readCommands(MemorySource(command([value, value])), keeping: .beginnings, limits: limits).error == nil)
    }

    @Test("lines that begin with # stand between commands")
    func annotations() {
        let bytes = Array("#TS:17\r\n".utf8) + command("PING") + Array("#\n#other\r\n".utf8) + command("PING") + [0x23]
        for piece in [1, 1000] {
            let found = readCommands(MemorySource(bytes, pieceByteCount: piece), window: 16)
            #expect(found.commands.count == 2)
            #expect(found.annotations.map { String(decoding: $0, as: UTF8.self) } == ["#TS:17", "#", "#other", "#…"])
            #expect(found.error == nil)
        }
        let long = Array("#\(String(repeating: "x", count: 1023))\n".utf8)
        #expect(readCommands(MemorySource(long)).error?.code == .badCommand)
        #expect(readCommands(MemorySource(Array(long.dropFirst(2)) + [])).error?.code == .badCommand)
    }

    @Test("every flipped bit gives commands or an error")
    func flips() {
        let bytes = command("SET", "k", "v") + Array("#TS:1\r\n".utf8) + command("DEL", "k")
        for index in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[index] ^= 1 << bit
                let found = readCommands(MemorySource(other, pieceByteCount: 3), window: 16)
                if let error = found.error { #expect(error.offset <= UInt64(other.count)) }
                if index >= 27 { #expect(found.commands.first?.arguments.count == 3) }
            }
        }
    }

    @Test("words are compared in any letter case, whole")
    func words() throws {
        var reader = RESPCommandReader(ByteWindow(MemorySource(command("gEt", "get@", "GETX", "12", "012"))))
        #expect(try reader.next() == .command)
        let arguments = reader.arguments
        #expect(arguments.count == 5)
        #expect(arguments.matches(0, "get") == true)
        #expect(arguments.matches(1, "get`") == false)
        #expect(arguments.matches(2, "get") == false)
        #expect(arguments.matches(5, "get") == false)
        #expect(arguments.integer(3) == 12)
        #expect(arguments.integer(4) == nil)
    }

    @Test("a queue keeps commands as they were")
    func queue() throws {
        let commands = Self.commands(seed: 5, count: 300)
        var reader = RESPCommandReader(ByteWindow(MemorySource(commands.flatMap { command($0) })))
        var queue = CommandQueue()
        for _ in 0..<2 {
            queue.removeAll()
            #expect(queue.count == 0)
            while try reader.next() == .command { reader.copyCommand(to: &queue) }
            #expect(queue.count == commands.count)
            for index in commands.indices {
                let arguments = queue[index]
                #expect(arguments.arrays == commands[index])
            }
            reader = RESPCommandReader(ByteWindow(MemorySource(commands.flatMap { command($0) })))
        }
    }
}
