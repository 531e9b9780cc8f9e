import Glibc
import Testing

/// `rdbkit report`: one page, sound as a file and, where there is a browser, in it.
@Suite("report pages", .serialized)
struct ReportPageTests {
    private func page(_ words: [String], in folder: String) throws -> String {
        let run = try Program.run(["report"] + words, in: folder)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors == "")
        return run.text
    }

    @Test("the page is whole, loads nothing, and holds its data where no key can break out")
    func structure() throws {
        let folder = try TemporaryFolder()
        try MemoryReportTests.hostileKeys().write(to: folder.file("a.rdb"))
        let text = try page(["a.rdb"], in: folder.path)
        #expect(text.hasPrefix("<!DOCTYPE html>\n"))
        #expect(text.hasSuffix("</html>\n"))
        // Two script elements: data, and script. No key may begin or end another.
        #expect(text.ranges(of: "<script").count == 2)
        #expect(text.ranges(of: "</script").count == 2)
        #expect(!text.contains("<img"))
        #expect(!text.contains("\u{2028}") && !text.unicodeScalars.contains("\u{7}"))
        for part in ["http://", "https://", "src=", "@import", "url("] {
            let places = text.ranges(of: part).filter { !text[..<$0.lowerBound].hasSuffix("'") }
            let isOfKey = part == "src=" && places.allSatisfy { text[..<$0.lowerBound].hasSuffix("img ") }
            #expect(places.isEmpty || isOfKey, "\(part)")
        }
        // The data is JSON that reads back.
        let start = try #require(text.range(of: #"<script type="application/json" id="data">"#)).upperBound
        let end = try #require(text[start...].range(of: "</script>")).lowerBound
        let data = Array(text[start..<end].utf8)
        #expect(!data.contains(UInt8(ascii: "<")) && !data.contains(UInt8(ascii: ">")))
        try writeFile(folder.file("data.json"), data)
        let read = try Program.shell(
            "python3 -c 'import json; d = json.load(open(\"data.json\")); print(d[\"report\"][\"keys\"], len(d[\"report\"][\"top\"][\"memory\"]))'",
            in: folder.path)
        #expect(read.text == "15 15\n")
    }

    @Test("two inputs tell the growth, --merge and more count together")
    func inputs() throws {
        let folder = try TemporaryFolder()
        try MemoryReportTests.namedKeys(400, seed: 1).write(to: folder.file("a.rdb"))
        try MemoryReportTests.namedKeys(900, seed: 2).write(to: folder.file("b.rdb"))
        let two = try page(["a.rdb", "b.rdb"], in: folder.path)
        #expect(
            two.contains(#""report":{"inputs":[{"input":"b.rdb""#)
                && two.contains(#""old":{"inputs":[{"input":"a.rdb""#))
        #expect(two.contains("The memory grew by"))
        let merged = try page(["a.rdb", "b.rdb", "--merge"], in: folder.path)
        #expect(merged.contains(#""keys":1300"#) && !merged.contains(#""old":"#))
        let since = try page(["a.rdb", "b.rdb", "--since", "a.rdb"], in: folder.path)
        #expect(since.contains(#""keys":1300"#) && since.contains(#""old":{"inputs":[{"input":"a.rdb""#))
    }

    @Test("faults end as they do elsewhere")
    func faults() throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("cut.rdb"), Array(try readFile(Checkout.shop).prefix(1500)))
        let cut = try Program.run(["report", "cut.rdb", "-o", "page.html"], in: folder.path)
        #expect(cut.status == 65)
        #expect(cut.errors.contains("byte 1500"))
        let missing = try Program.run(["report", "none.rdb", "-o", "none.html"], in: folder.path)
        #expect(missing.status == 66)
        #expect(!folder.names.contains("none.html"))
        #expect(try Program.run(["report", "cut.rdb", "--merge", "--since", "a"], in: folder.path).status == 64)
    }

    @Test("commands of findings are ones that the program takes")
    func commands() throws {
        let folder = try TemporaryFolder()
        var file = MemoryReportTests.namedKeys(200, seed: 5)
        file.bytes.removeLast(9)
        file.text("it's \"large\" [1]?", String(repeating: "x", count: 60_000))
        for index in 0..<40 { file.text("cache:it's:\(index)", String(repeating: "y", count: 500)) }
        file.end()
        try file.write(to: folder.file("it's a dump.rdb"))
        let text = try page(["it's a dump.rdb"], in: folder.path)
        let found = text.matches(of: #/"command":"((?:[^"\\]|\\.)*)"/#).map { match in
            match.1.replacing("\\\\", with: "\\").replacing("\\\"", with: "\"").replacing("\\u003c", with: "<")
        }
        #expect(found.count >= 3)
        for command in found {
            let run = try Program.shell(String(command), in: folder.path)
            #expect(run.status == 0, "\(command): \(run.errors)")
            #expect(!run.output.isEmpty)
        }
        let large = try #require(found.first { $0.contains("large") })
        #expect(try Program.shell(String(large), in: folder.path).text.contains("keys:            1\n"), "\(large)")
    }

    // MARK: - In a browser

    private static let browser: String? = {
        let run = try? Program.shell(
            "command -v ${CHROMIUM:-chromium} || command -v chromium-browser || command -v google-chrome")
        return run?.status == 0 ? run?.lines.first : nil
    }()

    private func check(_ page: String, _ words: [String], in folder: TemporaryFolder) throws {
        let line = "python3 '\(Checkout.root)/Tests/Browser/check_report.py' \(page) \(words.joined(separator: " "))"
        let run = try Program.shell(line, in: folder.path)
        #expect(run.status == 0, "\(run.text)\(run.errors)")
    }

    @Test(
        "in a browser it renders, sorts, filters and zooms, on a phone and a desktop, light and dark",
        .enabled(if: browser != nil, "no browser: make test-deps installs chromium"))
    func inBrowser() throws {
        let folder = try TemporaryFolder()
        try MemoryReportTests.namedKeys(4000, seed: 6).write(to: folder.file("a.rdb"))
        try MemoryReportTests.namedKeys(9000, seed: 7).write(to: folder.file("b.rdb"))
        _ = try page(["a.rdb", "b.rdb", "-o", "growth.html"], in: folder.path)
        try check("growth.html", ["--old"], in: folder)
        _ = try page(["b.rdb", "-o", "one.html"], in: folder.path)
        try check("one.html", [], in: folder)
    }

    @Test(
        "in a browser no key becomes anything but text",
        .enabled(if: browser != nil, "no browser: make test-deps installs chromium"))
    func hostileInBrowser() throws {
        let folder = try TemporaryFolder()
        var file = MemoryReportTests.namedKeys(500, seed: 8)
        file.bytes.removeLast(9)
        for key in MemoryReportTests.hostile {
            file.bytes += [0] + RDBBytes.string(key) + RDBBytes.string(String(repeating: "v", count: 3000))
        }
        file.end()
        try file.write(to: folder.file("hostile.rdb"))
        _ = try page(["hostile.rdb", "-o", "hostile.html"], in: folder.path)
        try check("hostile.html", ["--hostile"], in: folder)
    }
}
