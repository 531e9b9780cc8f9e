import Glibc
import Testing

/// The pages say what the program's own help says, and their examples are true.
@Suite("man pages")
struct ManPageTests {
    static let commands = HelpTests.commands + HelpTests.logCommands
    static let pages = ["rdbkit", "rdbkit-aof"] + commands.map { page(of: $0) }

    /// `aof list` has its page at `rdbkit-aof-list`.
    private static func page(of command: String) -> String {
        "rdbkit-" + command.split(separator: " ").joined(separator: "-")
    }

    private static func path(_ page: String) -> String { "\(Checkout.root)/man/\(page).1" }

    private func source(_ page: String) throws -> String {
        String(decoding: try readFile(Self.path(page)), as: UTF8.self)
    }

    /// The page as a terminal shows it, in one line, each white space one blank.
    private func rendered(_ page: String) throws -> String {
        let run = try Program.shell("mandoc -T utf8 -O width=200 '\(Self.path(page))' | col -bx")
        #expect(run.status == 0)
        return Self.folded(run.text)
    }

    private static func folded(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    @Test("every command has a page, and every page a command")
    func allPages() throws {
        let names = try Program.shell("cd '\(Checkout.root)/man' && ls *.1").lines
        #expect(names == Self.pages.map { "\($0).1" }.sorted())
    }

    @Test("mandoc has nothing to warn of", arguments: pages)
    func lint(_ page: String) throws {
        let run = try Program.shell("mandoc -T lint '\(Self.path(page))'")
        // Whether other pages are installed is not this page's matter.
        let words = (run.text + run.errors).split(separator: "\n").filter {
            !$0.contains("referenced manual not found") && !$0.contains("outdated mandoc.db")
        }
        #expect(words == [])
    }

    @Test("each option and argument stands in the page, with the help's own words", arguments: commands)
    func options(_ name: String) throws {
        let command = try #require(try CommandHelp.load().leaves[name])
        let page = try rendered(Self.page(of: name))
        let abstract = try #require(command.abstract).dropLast().lowercased()
        #expect(page.lowercased().contains("\(Self.page(of: name)) – \(abstract)"))
        for argument in command.shownArguments {
            let words = Self.folded(try #require(argument.abstract))
            #expect(page.contains(words), "\(words)")
            if argument.kind == "positional" {
                #expect(page.contains(" \(argument.valueName ?? "") "))
            }
            for option in argument.names ?? [] {
                let text = argument.kind == "option" ? "\(option.text) \(argument.valueName ?? "")" : option.text
                #expect(page.contains(" \(text)"), "\(text)")
            }
            for value in argument.allValues ?? [] { #expect(page.contains(value), "\(value)") }
        }
    }

    @Test("no page names an option that the program lacks", arguments: pages)
    func noOthers(_ page: String) throws {
        let help = try CommandHelp.load()
        // A page above others may name what they have.
        let commands = help.leaves.filter { (Self.page(of: $0.key) + "-").hasPrefix(page + "-") }.map(\.value)
        let known = Set((commands + [help]).flatMap { $0.shownArguments }.flatMap { $0.names ?? [] }.map(\.text))
        let text = try source(page)
        let unescaped = text.split(separator: "\\-", omittingEmptySubsequences: false).joined(separator: "-")
        // Fl writes the first dash.
        let flags = unescaped.matches(of: /\bFl (-?[0-9A-Za-z][-0-9A-Za-z]*|--[-a-z]+)/).map { "-\($0.1)" }
        #expect(!flags.isEmpty)
        for flag in flags { #expect(known.contains(flag), "\(flag)") }
        for line in unescaped.split(separator: "\n") where line.hasPrefix("$ ") {
            guard let call = line.firstMatch(of: /rdbkit [a-z]+ [^|>]*/) else { continue }
            for option in call.0.matches(of: #/ (--[a-z][-a-z]*)/#) {
                #expect(known.contains(String(option.1)), "\(option.1)")
            }
        }
    }

    @Test("the examples do what the page shows", arguments: pages)
    func examples(_ page: String) throws {
        var isLiteral = false
        var session: [String] = []
        for line in try source(page).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix(".Bd -literal") {
                isLiteral = true
            } else if line.hasPrefix(".Ed") {
                isLiteral = false
            } else if isLiteral {
                session.append(Self.plain(String(line)))
            }
        }
        #expect(session.contains { $0.hasPrefix("$ ") })
        try Session.expect(session)
    }

    /// Text of a page without its escapes.
    private static func plain(_ line: String) -> String {
        var text = line
        for (escape, plain) in [
            ("\\-", "-"), ("\\(aq", "'"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\(ga", "`"), ("\\[u2026]", "…"),
            ("\\[u00FC]", "ü"), ("\\[u00F6]", "ö"), ("\\[u2615]", "☕"), ("\\(em", "—"), ("\\&", ""), ("\\e", "\\"),
        ] {
            text = text.split(separator: escape, omittingEmptySubsequences: false).joined(separator: plain)
        }
        return text
    }
}

@Suite("README")
struct ReadmeTests {
    /// Blocks marked `console`; a line `…` stands for any lines, one at a line's end for any rest of it.
    @Test("what it shows is what comes")
    func examples() throws {
        var isSession = false
        var sessions: [[String]] = []
        let text = String(decoding: try readFile("\(Checkout.root)/README.md"), as: UTF8.self)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```console" {
                isSession = true
                sessions.append([])
            } else if line == "```" {
                isSession = false
            } else if isSession {
                sessions[sessions.count - 1].append(String(line))
            }
        }
        #expect(!sessions.isEmpty)
        for session in sessions { try Session.expect(session) }
    }
}

/// Lines typed after `$ ` and what they write.
enum Session {
    /// Runs the lines one after another in a folder that has the demo dump as dump.rdb and the demo log as appendonlydir,
    /// and compares what they write, on either stream. A line with nothing behind it has only to end well.
    static func expect(_ lines: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let folder = try TemporaryFolder()
        try writeFile(folder.file("dump.rdb"), try readFile(Checkout.shop))
        try check(mkdir(folder.file("appendonlydir"), 0o755), "mkdir")
        for name in try Program.shell("ls appendonlydir").lines {
            try writeFile(folder.file("appendonlydir/\(name)"), try readFile("\(Checkout.demo)/appendonlydir/\(name)"))
        }
        var index = 0
        while index < lines.count {
            guard lines[index].hasPrefix("$ ") else {
                Issue.record("\(lines[index]) stands before a command", sourceLocation: sourceLocation)
                return
            }
            var command = String(lines[index].dropFirst(2))
            index += 1
            while command.hasSuffix("\\"), index < lines.count {
                command = String(command.dropLast()) + String(lines[index].drop { $0 == " " })
                index += 1
            }
            let end = lines[index...].firstIndex { $0.hasPrefix("$ ") } ?? lines.count
            let expected = Array(lines[index..<end])
            index = end
            if command.hasPrefix("#") { continue }
            let run = try Program.shell("{ \(command)\n} 2>&1", in: folder.path)
            if expected.isEmpty {
                #expect(run.status == 0, "\(command): \(run.text)", sourceLocation: sourceLocation)
            } else {
                let found = run.text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
                #expect(
                    matches(found.dropLast(), expected[...]), "\(command) writes\n\(run.text)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    private static func matches(_ found: ArraySlice<String>, _ expected: ArraySlice<String>) -> Bool {
        guard let pattern = expected.first else { return found.isEmpty }
        let rest = expected.dropFirst()
        if pattern == "…" { return (found.startIndex...found.endIndex).contains { matches(found[$0...], rest) } }
        guard let line = found.first else { return false }
        let fits = pattern.hasSuffix("…") ? line.hasPrefix(pattern.dropLast()) : line == pattern
        return fits && matches(found.dropFirst(), rest)
    }
}
