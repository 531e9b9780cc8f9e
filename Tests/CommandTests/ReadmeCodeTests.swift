import RDBKit
import Testing

/// The Swift code of the README, which stands here word for word.
@Suite("the README's Swift")
struct ReadmeCodeTests {
    private func entries() throws {
        let entries = try RDBEntries(path: "dump.rdb")
        while let entry = try entries.next() {
            print(entry.header.database, String(decoding: entry.key, as: UTF8.self), entry.header.type)
        }
    }

    private func loop() throws {
        /// How many bytes the fields and values of hashes take.
        struct HashBytes: EntryConsumer {
            struct Visitor: ValueVisitor {
                var count = 0
                mutating func text(_ bytes: RawSpan, as role: TextRole) { count += bytes.byteCount }
                mutating func integer(_ value: Int64, as role: TextRole) { count += String(value).utf8.count }
                mutating func largeTextChunk(_ bytes: RawSpan) { count += bytes.byteCount }
            }

            var visitor = Visitor()
            mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
                try reader.readValue(into: &visitor)
            }
        }

        var selection = Selection(now: currentMilliseconds())
        selection.types = [.hash]
        var reader = try RDBReader(Input(path: "dump.rdb").source)
        var hashes = HashBytes()
        _ = try EntryLoop(selection: selection).run(&reader, &hashes)
        print(hashes.visitor.count)
    }

    @Test("is what is compiled here")
    func same() throws {
        let readme = String(decoding: try readFile("\(Checkout.root)/README.md"), as: UTF8.self)
        let compiled = String(decoding: try readFile(#filePath), as: UTF8.self).split(separator: "\n")
            .map { $0.drop { $0 == " " } }
        var isCode = false
        var count = 0
        for line in readme.split(separator: "\n") {
            if line == "```swift" || line == "```" {
                isCode = line == "```swift"
            } else if isCode, !line.hasPrefix(".package") {
                #expect(compiled.contains(line.drop { $0 == " " }), "\(line)")
                count += 1
            }
        }
        #expect(count > 20)
    }
}
