import AOFFormat
import RDBBytes
import Testing

// Rules and examples: formats/aof.md §3.3, all verified there against servers.
@Suite("Manifests")
struct ManifestTests {
    private func parse(_ text: String) throws(DecodeError) -> AOFManifest { try AOFManifest(Array(text.utf8)) }

    @Test("base first, then incremental files, history not loaded, whatever their order")
    func order() throws {
        let manifest = try parse(
            """
            # made by hand
            file a.aof.1.incr.aof seq 1 type i
            file a.aof.1.base.rdb seq 1 type h
            file a.aof.2.incr.aof seq 2 type i startoffset 14 endoffset 99
            file a.aof.2.base.rdb seq 2 type b

            """)
        #expect(
            manifest.loadedFiles.map(\.name) == ["a.aof.2.base.rdb", "a.aof.1.incr.aof", "a.aof.2.incr.aof"])
        #expect(manifest.historyFiles.map(\.name) == ["a.aof.1.base.rdb"])
        #expect(manifest.loadedFiles[2].startOffset == 14)
        #expect(manifest.loadedFiles[2].endOffset == 99)
        #expect(manifest.loadedFiles[1].startOffset == nil)
    }

    @Test(
        "what servers read",
        arguments: [
            ("file a seq 1 type b\n", "a"), ("TYPE b  Seq 1\tFILE a\r\n", "a"), ("  \tseq 1 type b file a \n", "a"),
            ("file a seq 1 type b colour red size 7\n", "a"), ("file a seq 1 type base\n", "a"),
            ("file a seq 1x type b\n", "a"), ("file \"a b\" seq 1 type b\n", "a b"),
            (#"file "my file\"x\xc3\xa9.aof.1.base.rdb" seq 1 type b"# + "\n", "my file\"xé.aof.1.base.rdb"),
            (#"file 'it\'s "a"' seq 1 type b"# + "\n", "it's \"a\""),
            (#"file x"y z" seq 1 type b"# + "\n", "xy z"),
            (#"file "\t\a\b\r\n\q\x4" seq 1 type b"# + "\n", "\t\u{7}\u{8}\r\nqx4"),
            ("#\n# two\nfile a seq 1 type b\n#three", "a"),
        ])
    func sound(_ text: String, _ name: String) throws {
        let manifest = try parse(text)
        #expect(manifest.files.map(\.name) == [name])
        #expect(manifest.files[0].sequence == 1)
        #expect(manifest.files[0].kind == .base)
        // What we write reads back to the same.
        #expect(try parse(manifest.text) == manifest)
    }

    @Test("only comments mean no files")
    func comments() throws { #expect(try parse("# nothing\n").files == []) }

    @Test(
        "what servers refuse",
        arguments: [
            ("", 0), ("\n", 0), ("file a seq 1 type b\n\n", 20), ("file a seq 1 type b", 0), ("file a seq 1\n", 0),
            ("file a seq 1 type b more\n", 0), ("file a seq 1 type x\n", 0), ("file a seq 0 type b\n", 0),
            ("file a seq x type b\n", 0), ("file \"a seq 1 type b\n", 0), ("file \"a\"b seq 1 type b\n", 0),
            ("file ../a seq 1 type b\n", 0), ("file a/b seq 1 type b\n", 0), ("file a\\b seq 1 type b\n", 0),
            (#"file 'a\n' seq 1 type b"# + "\n", 0), (#"file "\x2e\x2e\x2fa" seq 1 type b"# + "\n", 0),
            ("file .. seq 1 type b\n", 0),
            (#"file "a\x00b" seq 1 type b"# + "\n", 0), ("file \"\" seq 1 type b\n", 0),
            ("file a seq 1 type b\nfile b seq 2 type b\n", 20),
            ("file a seq 2 type i\nfile b seq 2 type i\n", 20), ("file a seq 2 type i\nfile b seq 1 type i\n", 20),
            ("file \(String(repeating: "a", count: 1010)) seq 1 type b\n", 0), ("hello\n", 0),
            ("*1\r\n$4\r\nPING\r\n", 0),
        ] as [(String, UInt64)])
    func faulty(_ text: String, _ offset: UInt64) {
        do throws(DecodeError) {
            _ = try parse(text)
            Issue.record("accepted: \(text)")
        } catch {
            #expect(error.code == .badManifest)
            #expect(error.offset == offset)
        }
    }

    @Test("lines may have 1023 bytes")
    func longLine() throws {
        let name = String(repeating: "n", count: 1023 - "file  seq 1 type i".utf8.count)
        #expect(try parse("file \(name) seq 1 type i\n").files[0].name == name)
        #expect(throws: DecodeError.self) { try parse("file \(name)n seq 1 type i\n") }
    }

    @Test("what is a manifest and what is a log")
    func likely() {
        for text in ["file a seq 1 type b\n", "# x\n\tSEQ 1", "\"type\" b"] {
            #expect(AOFManifest.isLikely(Array(text.utf8)))
        }
        for text in ["*1\r\n$4\r\nPING\r\n", "#TS:1\r\n*1\r\n", "", "#\n", "hello", "{\"db\":0}"] {
            #expect(!AOFManifest.isLikely(Array(text.utf8)))
        }
    }

    @Test("every prefix and every flipped bit of a manifest gives files or an error")
    func damage() {
        let text = Array("file \"a b\" seq 1 type b\nfile b seq 1 type i startoffset 5\n".utf8)
        for count in text.indices { _ = try? AOFManifest(Array(text.prefix(count))) }
        for index in text.indices {
            for bit in 0..<8 {
                var other = text
                other[index] ^= 1 << bit
                for file in (try? AOFManifest(other))?.files ?? [] {
                    #expect(!file.name.contains("/") && !file.name.contains("\\") && !file.name.isEmpty)
                }
            }
        }
    }
}
