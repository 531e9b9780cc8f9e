import ArgumentParser
import Glibc
import RDBKit

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what differs between two inputs.",
        discussion: """
            Key by key, ordered by database and key, and inside a changed key by field, member, score, index, entry, group \
            and expiry: - is only in A, + only in B, ~ changed. With --format resp, the commands that turn A into B: \
            applied to a server that holds A, they make it hold B. Status 0: the same data; 1: differences.
            """)

    @Argument(help: .anyInput("a"))
    var a: String

    @Argument(help: ArgumentHelp("What to hold against it.", valueName: "b"))
    var b: String

    @Option(
        help: ArgumentHelp(
            "Write text for people, JSON Lines, or resp: commands that turn A into B.", valueName: "format"))
    var format = DiffFormat.text

    @Flag(help: "Only a summary: by database and type, and by what keys begin with, up to the first colon.")
    var stat = false

    @Flag(help: "Only which keys differ.")
    var keysOnly = false

    @Option(
        help: ArgumentHelp(
            "With --format resp, the server that shall take the commands, such as redis-7.0 or valkey-9.1; by default a live A itself.",
            valueName: "version"))
    var target: ServerVersion?

    @OptionGroup(title: "Comparison") var compared: CompareOptions
    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Live servers") var servers: ServerInputOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        try CompareRun.check(a, b, selection)
        if stat, keysOnly { throw ValidationError("--stat and --keys-only exclude each other") }
        if format == .resp, stat || keysOnly { throw ValidationError("--format resp writes whole changes only") }
        if target != nil, format != .resp { throw ValidationError("--target belongs to --format resp") }
        if let target, !target.hasRestore { throw ValidationError("--target takes servers from redis-2.6 on") }
    }

    func run() throws {
        compared.chooseFolder()
        let compare = try CompareRun(options, [a, b], selection, servers: servers)
        let file = try compare.run.open(output)
        let comparison = compare.comparison(compared.options(selects: !selection.isEmpty))
        let (found, goesOn) = compare.compare(comparison, isLast: false, keepsKeys: true)
        var status = found
        var failure: OutputError?
        if goesOn {
            let told: ExitStatus
            (told, failure) = try tell(comparison, compare, file, isWhole: status == .done)
            status = status.combined(with: told)
            if status == .done, !comparison.isSame { status = .differences }
        }
        try compare.run.finish(file, failure: failure, status: status)
    }

    private func tell(
        _ comparison: Comparison, _ compare: CompareRun, _ file: OutputFile, isWhole: Bool
    ) throws -> (ExitStatus, OutputError?) {
        if stat {
            let sink = DiffStat()
            let status = compare.tellDifferences(comparison, into: sink)
            let summary = VerifyReport(
                comparison, compare.name(.a), compare.name(.b), isWhole: isWhole, isSample: selection.sample != nil)
            var failure: OutputError?
            if status == .done {
                let text = sink.text(summary, format == .json ? .json : .text)
                do throws(OutputError) { try file.write(text.rawSpan) } catch { failure = error }
            }
            return (status, failure)
        }
        switch format {
        case .text:
            let sink = DiffText(file, colors: options.colors(output), keysOnly: keysOnly)
            let status = compare.tellDifferences(comparison, into: sink)
            sink.flush()
            return (status, sink.failure)
        case .json:
            let sink = DifferenceJSON(file, keysOnly: keysOnly)
            let status = compare.tellDifferences(comparison, into: sink)
            sink.flush()
            return (status, sink.failure)
        case .resp:
            var commands = CommandOptions()
            // Where A is a live server, it is the one that shall take them.
            let target = target ?? compare.serverVersion(of: .a)
            commands.target = target ?? .oldestCommon
            let sink = try PatchWriter(
                file, options: commands, hasTarget: target != nil, now: compare.selection.now)
            let status = compare.tellDifferences(comparison, into: sink)
            sink.flush()
            compare.run.diagnostics.losses(sink.losses, target: target)
            return (status, sink.failure)
        }
    }
}

enum DiffFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, resp
}
