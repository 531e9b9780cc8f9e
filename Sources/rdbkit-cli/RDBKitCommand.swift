import ArgumentParser
import RDBKit

@main
struct RDBKitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rdbkit",
        abstract: "Read the files that Redis and Valkey keep their data in.",
        discussion: """
            INPUT is an RDB file of any version of either family, plain or in gzip; - is standard input. It is \
            recognised by its content, never by its name.
            """,
        version: "0.1.0",
        subcommands: [
            JSONCommand.self, GetCommand.self, InfoCommand.self, KeysCommand.self, CheckCommand.self,
            DigestCommand.self, VerifyCommand.self, DiffCommand.self, MemoryCommand.self, ReportCommand.self,
            RESPCommand.self, RestoreCommand.self,
            AOFCommand.self,
        ])

    static func main() {
        Interrupt.catchSignals()
        main(nil)
    }
}
