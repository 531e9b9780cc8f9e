public import ArgumentParser
import RDBKit
public import RDBServer

/// How entries get into a server.
enum RestoreWay: String, ExpressibleByArgument, CaseIterable {
    case auto, restore, commands, replication
}

extension ConflictPolicy: ExpressibleByArgument {}

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Replay entries into a live server or cluster.",
        discussion: """
            A URL is redis://[user[:password]@]host[:port][/db], rediss:// for TLS, valkey:// and valkeys:// the same, or \
            unix:///path. Of a cluster any nodes may be named. A key appears whole or not at all; each entry goes in the \
            form that costs the target least, and by commands where it does not know the value's layout. With a /db other \
            than 0 in the URL, and no --db-map, all entries go there.

            --as replication plays the primary for one full synchronisation: the fastest way into an empty server, which \
            has to be able to connect back, and keeps everything.

            Status 1: something was not applied. 69: the server is unavailable or refused.
            """)

    @Argument(help: ArgumentHelp("An RDB file; - is standard input.", valueName: "input"))
    var input: String

    @Argument(help: ArgumentHelp("The server, or nodes of the cluster.", valueName: "url"))
    var urls: [String]

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("auto, restore, commands or replication.", valueName: "way"))
    var way = RestoreWay.auto

    @Option(
        help: ArgumentHelp(
            "Where a key exists: error ends the run and leaves it, skip leaves it, replace replaces it.",
            valueName: "what"))
    var onConflict = ConflictPolicy.error

    @Flag(help: "Remove all keys of the target first; asks before it does.")
    var flush = false

    @Flag(help: "Do not ask.")
    var yes = false

    @Flag(help: "Send entries whose expiry is over. By default they are left out and counted.")
    var keepExpired = false

    @Flag(help: "Show what would be done, and do nothing.")
    var dryRun = false

    @Flag(help: "Read everything back afterwards and compare.")
    var verify = false

    @Option(
        help: ArgumentHelp(
            "Note here how far the target has acknowledged; a further run with the same file goes on from there.",
            valueName: "file"))
    var checkpoint: String?

    @Option(
        help: ArgumentHelp("Write every entry that was not applied to this file, as JSON Lines.", valueName: "file"))
    var errors: String?

    @Option(help: ArgumentHelp("Connections to each server.", valueName: "n"))
    var connections = 2

    @Option(help: ArgumentHelp("Send at most so many bytes a second, such as 20MB/s.", valueName: "rate"))
    var maxRate: ByteRate?

    @Option(help: ArgumentHelp("Send at most so many entries a second, such as 5000/s.", valueName: "rate"))
    var maxOps: CountRate?

    @Option(
        help: ArgumentHelp(
            "Values larger than this (64MiB) arrive in slices by commands, so that none blocks the target for long.",
            valueName: "bytes"))
    var bigValue: ByteAmount?

    @Option(
        help: ArgumentHelp(
            "How long to keep trying while a server is gone, busy or moving slots, without any progress.",
            valueName: "seconds"))
    var patience = 60.0

    @Option(
        help: ArgumentHelp(
            "With --as replication: the address that the target shall connect back to.", valueName: "host:port"))
    var announce: String?

    @Option(help: ArgumentHelp("The summary: text or json.", valueName: "format"))
    var format = SummaryFormat.text

    @OptionGroup(title: "Server") var server: ServerOptions
    @OptionGroup(title: "Changes") var changes: ChangeOptions
    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if urls.isEmpty { throw ValidationError("name the server: redis://host:port") }
        for url in urls {
            do { _ = try ServerURL(url) } catch { throw ValidationError("\(error)") }
        }
        if !(1...64).contains(connections) { throw ValidationError("--connections takes 1 to 64") }
        if !(0...1e6).contains(patience) { throw ValidationError("--patience takes 0 to 1000000 seconds") }
        if checkpoint != nil, input == "-" {
            throw ValidationError("--checkpoint needs a file: standard input cannot be read again")
        }
        if verify, input == "-" {
            throw ValidationError("--verify needs a file: standard input cannot be read again")
        }
        if announce != nil, way != .replication { throw ValidationError("--announce belongs to --as replication") }
        if let announce, ServerAddress(hostAndPort: announce) == nil {
            throw ValidationError("--announce takes host:port")
        }
        if way == .replication { try validateReplication() }
    }

    /// The target loads the file as it is.
    private func validateReplication() throws {
        if !selection.isEmpty { throw ValidationError("--as replication sends the whole file: it takes no selection") }
        if !changes.changes(now: 0).isEmpty {
            throw ValidationError("--as replication sends the file as it is: it takes no changes")
        }
        if checkpoint != nil || maxRate != nil || maxOps != nil || onConflict != .error {
            throw ValidationError(
                "--as replication is one synchronization into an empty server: no --checkpoint, --max-rate, --max-ops or --on-conflict"
            )
        }
        if urls.count > 1 { throw ValidationError("--as replication takes one server") }
    }

    func run() throws {
        let run = InputRun(options, selection)
        let seeds = urls.compactMap { try? ServerURL($0) }
        let status = RestoreRun(self, run, seeds).run()
        if status != .done { throw status.exitCode }
    }
}

enum SummaryFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}
