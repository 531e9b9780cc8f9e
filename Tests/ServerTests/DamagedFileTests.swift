import ServerHarness
import Testing

/// Recorded files with damage at seeded places: told with the statuses of the contract, whole lines
/// before it, and never a crash.
@Suite("damaged files", .serialized)
struct DamagedFileTests {
    struct Damage: Sendable, CustomStringConvertible {
        let path: String
        let seed: UInt64

        var description: String {
            "\(path.split(separator: "/").last ?? "") with RDBKIT_SEED=\(seed)"
        }
    }

    private static let paths =
        [NewestTypesTests.path]
        + ["redis-2.4", "redis-6.2", "redis-7.4", "valkey-9.1"].map { "\(Checkout.testdata)/servers/\($0).rdb" }
    static let damages = paths.flatMap { path in Scenario.seeds.map { Damage(path: path, seed: $0) } }

    /// Runs a command on bytes that are given as a file.
    private func run(_ arguments: [String], on bytes: Bytes) throws -> RDBKitProgram.Run {
        let folder = try TemporaryFolder()
        try Files.write(bytes, to: folder.file("dump.rdb"))
        return try RDBKitProgram.locate().run(arguments + [folder.file("dump.rdb")])
    }

    private func expect(_ statuses: Set<Int>, _ run: RDBKitProgram.Run, _ subject: String) {
        let command = run.arguments.dropLast().joined(separator: " ")
        #expect(statuses.contains(run.status), "rdbkit \(command), \(subject): \(run.errors.prefix(600))")
        #expect(run.output.isEmpty || run.output.last == 0x0a, "rdbkit \(command) ends within a line, \(subject)")
    }

    @Test("a file that ends too early is damaged input", arguments: damages)
    func cut(damage: Damage) throws {
        var generator = SeededGenerator(seed: damage.seed)
        let bytes = try Files.read(damage.path)
        for length in [generator.number(9...bytes.count - 10), generator.number(0...8), bytes.count - 1] {
            let subject = "\(damage), \(length) bytes of \(bytes.count)"
            let prefix = Bytes(bytes.prefix(length))
            expect([65], try run(["json"], on: prefix), subject)
            // Without a whole header it is not known to be a file of this kind at all.
            expect(length < 9 ? [1, 65] : [1], try run(["check"], on: prefix), subject)
        }
    }

    @Test("one wrong byte is found by the checksum", arguments: damages)
    func flippedByte(damage: Damage) throws {
        if damage.path.contains("redis-2.4") { return }  // Before there was one.
        var generator = SeededGenerator(seed: damage.seed)
        var bytes = try Files.read(damage.path)
        let index = generator.number(9...bytes.count - 1)
        bytes[index] ^= 1 << UInt8(generator.number(0...7))
        expect([65], try run(["json"], on: bytes), "\(damage), byte \(index)")
        expect([1], try run(["check"], on: bytes), "\(damage), byte \(index)")
    }

    @Test("damage without a checksum is told or harmless, but never a crash", arguments: damages)
    func blindDamage(damage: Damage) throws {
        var generator = SeededGenerator(seed: damage.seed)
        var bytes = try Files.read(damage.path)
        if !damage.path.contains("redis-2.4") {
            // Zero says that there is none.
            for index in bytes.count - 8..<bytes.count { bytes[index] = 0 }
        }
        for _ in 0..<3 {
            var damaged = bytes
            let index = generator.number(9...bytes.count - 9)
            let anything = UInt8(generator.number(0...255))
            damaged[index] = generator.pick([0, 1, 0x7f, 0x80, 0x81, 0xc3, 0xfe, 0xff, anything, anything])
            let subject = "\(damage), byte \(index) is \(damaged[index])"
            expect([0, 65], try run(["json"], on: damaged), subject)
            expect([0, 65], try run(["json", "--on-error", "skip"], on: damaged), subject)
            expect([0, 1], try run(["check"], on: damaged), subject)
        }
    }
}
