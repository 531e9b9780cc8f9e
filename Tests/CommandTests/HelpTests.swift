import Testing

@Suite("help")
struct HelpTests {
    static let commands = ["json", "get", "info", "keys", "check", "digest", "resp", "restore", "aof"]

    @Test("each command's help", arguments: commands)
    func command(_ name: String) throws {
        try Golden.expect("help-\(name)", ["help", name])
    }

    @Test("the program's help")
    func program() throws {
        try Golden.expect("help", ["--help"])
    }

    @Test("help says the same by both names", arguments: commands)
    func bothNames(_ name: String) throws {
        #expect(try Program.run([name, "--help"]).text == Program.run(["help", name]).text)
        #expect(try Program.run([name, "-h"]).text == Program.run(["help", name]).text)
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
        #expect(help.subcommands.map(\.commandName).filter { $0 != "help" } == Self.commands)
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
