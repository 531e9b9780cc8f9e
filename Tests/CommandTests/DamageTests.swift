import Testing

/// A sample through the real program; the decoder's own tests take every byte.
@Suite("damaged files")
struct DamageTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }

    private static let commands = [
        ["json"], ["keys"], ["info"], ["check"], ["json", "--on-error", "skip"], ["digest"], ["memory"],
    ]

    private func expectOrderlyEnd(_ bytes: [UInt8], _ what: String, _ index: Int) throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("a.rdb"), bytes)
        let command = Self.commands[index % Self.commands.count]
        let run = try Program.run(command + ["a.rdb"], in: folder.path, seconds: 20)
        #expect([0, 1, 65].contains(run.status), "\(command) with \(what): \(run.errors)")
        #expect(run.processorSeconds < 1, "\(command) with \(what)")
        if command[0] == "json", !run.output.isEmpty {
            #expect(run.lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") }, "\(command) with \(what)")
        }
    }

    @Test("cut anywhere, the program ends in order")
    func cut() throws {
        let whole = try readFile(Checkout.shop)
        var generator = Generator(state: 1)
        for index in 0..<80 {
            let count = Int.random(in: 0..<whole.count, using: &generator)
            try expectOrderlyEnd(Array(whole.prefix(count)), "\(count) bytes", index)
        }
    }

    @Test("with a byte changed anywhere, the program ends in order")
    func changed() throws {
        let whole = try readFile(Checkout.shop)
        var generator = Generator(state: 2)
        for index in 0..<120 {
            var bytes = whole
            let offset = Int.random(in: 0..<bytes.count, using: &generator)
            let byte = UInt8.random(in: 0...255, using: &generator)
            bytes[offset] = byte
            try expectOrderlyEnd(bytes, "byte \(offset) made \(byte)", index)
        }
    }
}
