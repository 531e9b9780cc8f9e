import Testing

@Suite("help")
struct HelpTests {
    static let commands = ["json", "get", "info", "keys", "check", "digest", "diff", "verify", "resp", "restore"]
    static let logCommands = ["list", "check", "repair", "cut", "stats"].map { "aof \($0)" }

    @Test("each command's help", arguments: commands + logCommands + ["aof"])
    func command(_ name: String) throws {
        let words = name.split(separator: " ").map { String($0) }
        try Golden.expect("help-\(words.joined(separator: "-"))", ["help"] + words)
    }

    @Test("the program's help")
    func program() throws {
        try Golden.expect("help", ["--help"])
    }

    @Test("help says the same by both names", arguments: commands + logCommands)
    func bothNames(_ name: String) throws {
        let words = name.split(separator: " ").map { String($0) }
        #expect(try Program.run(words + ["--help"]).text == Program.run(["help"] + words).text)
        #expect(try Program.run(words + ["-h"]).text == Program.run(["help"] + words).text)
    }

    @Test("the version is one line")
    func version() throws {
        let run = try Program.run(["--version"])
        #expect(run.status == 0)
        #expect(run.errors == "")
        #expect(run.text.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
    }

    @Test("all commands are listed")
    func allCommands() throws {
        let help = try CommandHelp.load()
        #expect(help.subcommands.map(\.commandName).filter { $0 != "help" } == Self.commands + ["aof"])
        #expect(help.leaves.keys.sorted() == (Self.commands + Self.logCommands).sorted())
    }

    @Test("completions name each command and option", arguments: ["bash", "zsh", "fish"])
    func completions(_ shell: String) throws {
        let run = try Program.run(["--generate-completion-script", shell])
        #expect(run.status == 0)
        for name in Self.commands { #expect(run.text.contains(name)) }
        // fish writes options without their dashes.
        for option in ["expires-before", "min-elements", "on-error"] { #expect(run.text.contains(option)) }
    }
}
