import AOFFormat
import FuzzEntrances
import Glibc
import RDBBytes
import RDBTestSupport
import RESPFormat
import ServerHarness
import Testing

@testable import AOFState

/// Commands with wrong, extreme and exchanged arguments: whatever they are, they are applied or refused, and the RDB of
/// what they leave can be read. The logs of `testdata/fuzz/corpus-state`, which name every command, are changed.
///
/// `RDBKIT_SEEDS=n` runs n seeds in place of 30, `RDBKIT_SEED=n` only that one; `RDBKIT_MUTATED_LOG=path` keeps the input
/// that runs (with `--no-parallel`).
@Suite("states of mutated logs")
struct MutatedLogTests {
    static let seeds: [UInt64] = {
        if let seed = Environment["RDBKIT_SEED"].flatMap(UInt64.init) { return [seed] }
        return Array(1...(Environment["RDBKIT_SEEDS"].flatMap(UInt64.init) ?? 30))
    }()

    private static let roundsOfSeed = 20

    /// Each file's commands; what stands before them (an RDB, or nothing).
    static let corpus: [(name: String, head: [UInt8], commands: [[[UInt8]]])] = {
        let folder =
            "\(#filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined())/testdata/fuzz/corpus-state"
        var files: [(name: String, head: [UInt8], commands: [[[UInt8]]])] = []
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix("."), let bytes = read("\(folder)/\(name)"), bytes.count > 1 else { continue }
            // The first byte says how the rest arrives.
            let log = Array(bytes.dropFirst())
            let start = log.first == UInt8(ascii: "*") || log.first == UInt8(ascii: "#") ? 0 : commandsStart(log)
            files.append((name, Array(log[..<start]), commands(Array(log[start...]))))
        }
        return files.sorted { $0.name < $1.name }
    }()

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        return bytes
    }

    /// Behind an RDB: the first command is a SELECT in each of the corpus.
    private static func commandsStart(_ log: [UInt8]) -> Int {
        let mark = Array("*2\r\n$6\r\nSELECT".utf8)
        return log.indices.first { log[$0...].starts(with: mark) } ?? log.count
    }

    private static func commands(_ log: [UInt8]) -> [[[UInt8]]] {
        var commands: [[[UInt8]]] = []
        var reader = RESPCommandReader(ByteWindow(MemorySource(log)), acceptsAnnotations: true)
        while let item = try? reader.next(), item != .end {
            if item == .command { commands.append(reader.arguments.arrays) }
        }
        return commands
    }

    @Test("the corpus names every command that changes data")
    func corpusIsWhole() {
        var names = Set(WriteCommand.table.keys)
        for file in Self.corpus {
            for command in file.commands {
                if let name = CommandName(String(decoding: command[0], as: UTF8.self)) { names.remove(name) }
            }
        }
        let missing = names.map { "\($0)" }.filter { !$0.contains("RESTORE-ASKING") }
        #expect(missing.isEmpty, "\(missing)")
    }

    @Test("commands with any arguments leave a state that can be written and read", arguments: seeds)
    func mutate(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for round in 0..<Self.roundsOfSeed {
            var mutation = LogMutation(random: random)
            let log = mutation.log(Self.corpus)
            let choice = UInt8(truncatingIfNeeded: mutation.random.next())
            random = mutation.random
            keep(log, choice)
            let fault = FuzzEntrance.stateFault(log, choice)
            #expect(fault == nil, "RDBKIT_SEED=\(seed), round \(round)")
            if fault != nil { return }
        }
    }

    /// Writes the input that is about to run where somebody wants it, for `FuzzEntrance.state`: a trap leaves it behind.
    private func keep(_ log: [UInt8], _ choice: UInt8) {
        guard let path = Environment["RDBKIT_MUTATED_LOG"], let file = fopen(path, "w") else { return }
        fwrite([choice] + log, 1, log.count + 1, file)
        fclose(file)
    }
}

/// One log made of others, changed at random.
private struct LogMutation {
    var random: SplitMix64

    private static let numbers: [String] = [
        "0", "-0", "-1", "1", "2", "63", "64", "127", "128", "255", "256", "4095", "16383", "16384", "65536",
        "2147483647", "2147483648", "-2147483649", "4294967295", "4294967296", "9223372036854775806",
        "9223372036854775807", "-9223372036854775807", "-9223372036854775808", "9223372036854775808",
        "18446744073709551614", "18446744073709551615", "18446744073709551616", "9223372036854775", "9007199254740993",
        "-9223372036854775", "1e308", "-1e308", "1e309", "1e-320", "nan", "inf", "-inf", "+inf", "(inf", "(1", "[a",
        "(a",
        "", "-", "+", "$", "*", "0-0", "0-1", "0-*", "5-*", "18446744073709551615-*", "18446744073709551615-0",
        "18446744073709551615-18446744073709551615", "18446744073709551615-18446744073709551614", "#0",
        "#9223372036854775807", "#144115188075855871", "i64", "u63", "u64", "i1", "007", "1e3", "0x10", "*->*", "*->",
        "#",
        "85.05112878", "-180", "180", "99999999999999999999", "5000000", "1048577",
    ]

    private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(max(1, count))) }

    mutating func log(_ corpus: [(name: String, head: [UInt8], commands: [[[UInt8]]])]) -> [UInt8] {
        let first = corpus[below(corpus.count)]
        var commands = first.commands
        if below(3) == 0 { commands += corpus[below(corpus.count)].commands }
        switch below(4) {
        case 0: commands.shuffle(using: &random)
        case 1: commands = (0..<commands.count).map { _ in commands[below(commands.count)] }
        default: break
        }
        let words = commands.flatMap { $0.dropFirst() }
        // From a few arguments of the log to most.
        let rarity = [3, 10, 40][below(3)]
        // All on few keys, so that commands meet values.
        let keys: [[UInt8]] = below(3) == 0 ? [Array("k".utf8), Array("l".utf8), Array("m".utf8)] : []
        var out = OutputBuffer(capacity: 1 << 16)
        for command in commands {
            var command = command
            if !keys.isEmpty, command.count > 1, below(4) > 0 { command[1] = keys[below(keys.count)] }
            for index in command.indices.dropFirst() where below(rarity) == 0 { change(&command[index], words) }
            if below(rarity) == 0, command.count > 2 { reshape(&command, words) }
            if below(20) == 0 { out.append(Array("#TS:\(Self.numbers[below(Self.numbers.count)])\r\n".utf8).rawSpan) }
            for _ in 0...(below(15) == 0 ? 1 : 0) {
                out.beginCommand(command.count)
                for argument in command { out.appendArgument(argument.rawSpan) }
            }
        }
        var head = first.head
        if below(2) == 0 { flip(&head) }
        return head + out.bytes.array
    }

    private mutating func change(_ argument: inout [UInt8], _ words: [[UInt8]]) {
        switch below(8) {
        case 0, 1, 2, 3: argument = Array(Self.numbers[below(Self.numbers.count)].utf8)
        case 4: if !words.isEmpty { argument = words[below(words.count)] }
        case 5: argument = []
        case 6: argument = random.bytes(below(100))
        default: flip(&argument)
        }
        // Payloads are more often flipped than lost.
        if argument.count > 20, below(2) == 0 { flip(&argument) }
    }

    private mutating func flip(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        for _ in 0...below(3) {
            let at = below(bytes.count)
            switch below(4) {
            case 0: bytes[at] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xfe, 0xff][below(11)]
            case 1: bytes[at] ^= 1 << UInt8(below(8))
            case 2: bytes[at] = bytes[at] &+ (below(2) == 0 ? 1 : 255)
            default: bytes[at] = UInt8(truncatingIfNeeded: random.next())
            }
        }
    }

    private mutating func reshape(_ command: inout [[UInt8]], _ words: [[UInt8]]) {
        let at = 1 + below(command.count - 1)
        let other = 1 + below(command.count - 1)
        switch below(5) {
        case 0: command.swapAt(at, other)
        case 1: command.remove(at: at)
        case 2: command.insert(command[other], at: at)
        case 3: command.removeLast(command.count - at)
        default: if !words.isEmpty { command.insert(words[below(words.count)], at: at) }
        }
    }
}
