import ArgumentParser

struct AOFCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aof",
        abstract: "Look into append-only files, and mend them.",
        discussion: """
            INPUT is a single append-only file (with or without an RDB before its commands; plain or in gzip; - is \
            standard input), the manifest of a multi-part one, or the folder that holds the manifest.
            """,
        subcommands: [
            AOFListCommand.self, AOFCheckCommand.self, AOFRepairCommand.self, AOFCutCommand.self, AOFStatsCommand.self,
        ])
}
