import Glibc
import RDBBytes
import RDBTestSupport
import Testing

@Suite("output files")
struct OutputFileTests {
    @Test("a file appears under its name when it is whole")
    func whole() throws {
        let folder = TemporaryFolder()
        folder.write(Array("old".utf8), "out")
        let file = try OutputFile(path: folder.file("out"))
        try file.write(Array("new ".utf8).rawSpan)
        #expect(try folder.contents("out") == Array("old".utf8))
        #expect(folder.names.count == 2)
        try file.write(Array("text".utf8).rawSpan)
        try file.finish()
        #expect(try folder.contents("out") == Array("new text".utf8))
        #expect(folder.names == ["out"])
    }

    @Test("an ordinary file's permissions")
    func permissions() throws {
        let folder = TemporaryFolder()
        let file = try OutputFile(path: folder.file("out"))
        try file.finish()
        var status = stat()
        #expect(stat(folder.file("out"), &status) == 0)
        let mask = umask(0)
        _ = umask(mask)
        #expect(status.st_mode & 0o777 == 0o666 & ~mask)
    }

    @Test("a discarded file leaves what was there")
    func discarded() throws {
        let folder = TemporaryFolder()
        folder.write(Array("old".utf8), "out")
        let file = try OutputFile(path: folder.file("out"))
        try file.write(Array("new".utf8).rawSpan)
        file.discard()
        #expect(try folder.contents("out") == Array("old".utf8))
        #expect(folder.names == ["out"])
    }

    @Test("one that cannot get its name closes its descriptor once")
    func unnamed() throws {
        let folder = TemporaryFolder()
        let file = try OutputFile(path: folder.file("out"))
        // Something that no file replaces has come to stand there.
        #expect(mkdir(folder.file("out"), 0o700) == 0)
        #expect(throws: OutputError.system(EISDIR)) { try file.finish() }
        // The next one to be opened gets the number that is free now.
        let other = open("/dev/null", O_RDONLY)
        file.discard()
        #expect(fcntl(other, F_GETFD) >= 0)
        _ = close(other)
        #expect(folder.names == ["out"])
        #expect(rmdir(folder.file("out")) == 0)
    }

    @Test("a file nobody finishes is discarded with its owner")
    func forgotten() throws {
        let folder = TemporaryFolder()
        do {
            let file = try OutputFile(path: folder.file("out"))
            try file.write(Array("new".utf8).rawSpan)
        }
        #expect(folder.names == [])
    }

    @Test("a name in gzip reads back")
    func gzip() throws {
        let folder = TemporaryFolder()
        var random = SplitMix64(seed: 2)
        let text = random.words(200_000)
        let file = try OutputFile(path: folder.file("out.gz"))
        for from in stride(from: 0, to: text.count, by: 70_000) {
            try file.write(text.rawSpan.extracting(from..<min(text.count, from + 70_000)))
        }
        try file.finish()
        let compressed = try folder.contents("out.gz")
        #expect(compressed.count < text.count / 2)
        #expect(try readAll(GzipSource(MemorySource(compressed))) == text)
    }

    @Test("nothing in gzip reads back as nothing")
    func emptyGzip() throws {
        let folder = TemporaryFolder()
        try OutputFile(path: folder.file("out.gz")).finish()
        #expect(try readAll(GzipSource(MemorySource(folder.contents("out.gz")))) == [])
    }

    @Test("a folder that does not exist")
    func missingFolder() {
        let folder = TemporaryFolder()
        #expect(throws: OutputError.cannotCreate(folder.file("no/out"), ENOENT)) {
            try OutputFile(path: folder.file("no/out"))
        }
    }
}
