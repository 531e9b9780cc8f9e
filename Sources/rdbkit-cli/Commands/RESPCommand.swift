import ArgumentParser
import RDBKit

struct RESPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resp",
        abstract: "Write the commands that rebuild the data.",
        discussion: """
            For redis-cli --pipe, or as an AOF file that a server loads. RESTORE carries a value's own bytes and keeps \
            everything; commands work on servers that do not know the value's layout. Without --target, commands that \
            Redis 6.2 and everything later takes.

            What a target cannot hold is told on standard error, and the status is 1. The commands expect that their \
            keys do not exist there, or --replace.
            """)

    @Argument(help: ArgumentHelp("RDB files; - is standard input.", valueName: "input"))
    var inputs: [String]

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "restore, commands, or auto: RESTORE where --target takes the value's layout, else commands.",
            valueName: "form"))
    var form = EntryForm.auto

    @Option(
        help: ArgumentHelp(
            "The server that shall take the commands, for example redis-7.0 or valkey-9.1.", valueName: "version"))
    var target: ServerVersion?

    @Flag(help: "Replace keys (and functions) that exist.")
    var replace = false

    @Option(
        help: ArgumentHelp(
            "Elements are batched into commands of at most this size (1 MiB); strings beyond it come as SET and APPEND only if this is given.",
            valueName: "bytes"))
    var maxCommand: ByteAmount?

    @OptionGroup(title: "Changes") var changes: ChangeOptions
    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if let target, !target.hasRestore {
            throw ValidationError("--target takes servers from redis-2.6 on")
        }
        if let maxCommand, !(1024...(512 << 20)).contains(maxCommand.byteCount) {
            throw ValidationError("--max-command takes 1KiB to 512MiB")
        }
    }

    func run() throws {
        let run = InputRun(options, selection)
        let file = try run.open(output)
        var wanted = selection.selection()
        let limit = wanted.limit
        var commands = CommandOptions()
        // RESTORE with its options is there since 5.0; a target that is named says more.
        commands.target = target ?? .oldestCommon
        commands.replaces = replace
        if let maxCommand {
            commands.maxCommandByteCount = Int(maxCommand.byteCount)
            commands.splitsStrings = true
        }
        // The pattern was compiled once in validate().
        var consumer = try RESPConsumer(
            file, form: form, options: commands, hasTarget: target != nil, changes: changes.changes(now: wanted.now),
            now: wanted.now)
        var written: UInt64 = 0
        var status = run.forEach(inputs) { reader, path in
            // --limit counts over all inputs.
            wanted.limit = limit.map { $0 - min($0, written) }
            return run.run(&reader, path, wanted, &consumer, threads: options.threadCount) {
                $0.writer.flush()
                written = $0.entryCount
            }
        }
        consumer.writer.flush()
        run.diagnostics.losses(consumer.losses, target: target)
        if consumer.losses.isOfData { status = status.combined(with: .differences) }
        try run.finish(file, failure: consumer.writer.failure, status: status)
    }
}
