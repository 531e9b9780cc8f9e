import Testing

/// Peak memory does not grow with the file: 64 MiB are enough for a string of 300 MB and a hash of a million fields.
@Suite("memory", .serialized)
struct MemoryTests {
    static let limitKiB = 64 << 10

    static let commandLines = [
        ["json"], ["json", "--meta", "--no-values"], ["json", "--strings", "base64"], ["keys"],
        ["keys", "--min-elements", "1"], ["keys", "--min-size", "1MB"], ["get", "large"], ["info"], ["check"],
        ["json", "--threads", "6"], ["check", "--threads", "6"], ["digest"], ["digest", "--redis", "--per-key"],
        ["digest", "--threads", "6"], ["memory"], ["memory", "--threads", "6"], ["memory", "--all"], ["resp"],
        ["resp", "--max-command", "1MiB"], ["resp", "--target", "redis-7.0"],
        ["resp", "--threads", "6"],
    ]

    @Test("a string of 300 MB")
    func string() throws {
        let folder = try TemporaryFolder()
        let writer = try FileWriter(folder.file("a.rdb"))
        try writer.append(Array("REDIS0011".utf8) + [0xfe, 0, 0] + RDBBytes.string("large"))
        let count = 300_000_000
        try writer.append(RDBBytes.length(count))
        let piece = Array(String(repeating: "A line of text, \"quoted\", and more of it.\n", count: 1000).utf8)
        var left = count
        while left > 0 {
            try writer.append(piece.prefix(left))
            left -= min(left, piece.count)
        }
        try writer.append([0xff] + Array(repeating: 0, count: 8))
        try writer.flush()

        try expectLittleMemory(folder)
        try expectLittleMemory(folder, ["get", "large", "--raw"])
        #expect(try Program.shell("rdbkit get a.rdb large --raw | wc -c", in: folder.path).lines == ["300000000"])
    }

    @Test("a hash of a million fields")
    func hash() throws {
        let folder = try TemporaryFolder()
        let writer = try FileWriter(folder.file("a.rdb"))
        try writer.append(Array("REDIS0011".utf8) + [0xfe, 0, 4] + RDBBytes.string("large"))
        try writer.append(RDBBytes.length(1_000_000))
        for index in 0..<1_000_000 {
            try writer.append(RDBBytes.string("field:\(index)"))
            try writer.append(RDBBytes.string("the value number \(index)"))
        }
        try writer.append([0xff] + Array(repeating: 0, count: 8))
        try writer.flush()

        try expectLittleMemory(folder)
    }

    private func expectLittleMemory(_ folder: TemporaryFolder) throws {
        for words in Self.commandLines { try expectLittleMemory(folder, words) }
    }

    private func expectLittleMemory(_ folder: TemporaryFolder, _ words: [String]) throws {
        for input in ["a.rdb", "-"] {
            let run = try Program.run(
                [words[0], input] + words.dropFirst(), input: input == "-" ? .pipe(folder.file("a.rdb")) : .nothing,
                in: folder.path, output: "/dev/null")
            #expect(run.status == 0)
            #expect(run.errors == "")
            #expect(run.peakKiB > 0 && run.peakKiB < Self.limitKiB, "\(words) of \(input): \(run.peakKiB) KiB")
        }
    }
}
