import ArgumentParser
import RDBKit

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate files to the last byte.",
        discussion: """
            Checks the checksum and the structure of every value: lengths and back-lengths, end bytes, counts, order, \
            duplicate members, stream counters and owners of pending entries, bytes behind the end. Every fault is told \
            with its offset and key, not only the first. Status 0: sound; 1: faults found.
            """)

    @Argument(help: .files)
    var inputs: [String]

    @Flag(help: "Also find keys that occur twice in a database; takes 11 to 32 bytes of memory for each key.")
    var duplicates = false

    @Option(help: ArgumentHelp("Write the findings as text, as JSON Lines, or as CSV.", valueName: "format"))
    var format = CheckFormat.text

    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if selection.moment != nil {
            throw ValidationError("a log is checked as a whole; aof cut writes one up to a moment")
        }
    }

    func run() throws {
        let run = InputRun(options)
        let file = try run.open(output)
        let report = CheckReport(file, format: format, quiet: options.quiet)
        let wanted = selection.selection()
        // One place has to see all keys to find those that occur twice.
        let threads = duplicates ? 1 : options.threadCount
        let checkLog: (AOFInput) -> ExitStatus = { run.check($0, report) }
        let status = run.forEach(inputs, log: checkLog) { reader, path in
            var consumer = CheckConsumer(version: reader.version, findsDuplicateKeys: duplicates) {
                report.fault($0, input: path)
            }
            let faults = consumer.faults
            var loop = run.loop(path, wanted)
            // A value that does not decode is a finding like others, and the next one is looked at.
            loop.onError = .skip
            loop.notice = { notice in
                if case .skipped(let fault) = notice {
                    faults.tell(fault)
                } else {
                    run.diagnostics.notice(notice, input: path)
                }
            }
            // What follows the end is commands, or a fault.
            loop.leavesTrailingBytes = true
            var end: RDBEnd?
            var stopped: DecodeError?
            var hasCommands = false
            do throws(EntryFault) {
                end = try loop.run(&reader, &consumer, threads: threads).end
                if let end { hasCommands = try Self.look(behind: end, &reader, faults) }
            } catch {
                stopped = error.error
                if error.error.isAboutInput { faults.tell(error) }
            }
            run.diagnostics.clearProgress()
            if let end, hasCommands {
                let rdb = consume reader
                reader = RDBReader(of: rdb.version)
                return run.checkCommands(
                    behind: rdb, end: end, of: path, report, faultCount: consumer.faultCount,
                    entryCount: consumer.entryCount)
            }
            if let stopped, !stopped.isAboutInput {
                run.diagnostics.error(
                    EntryFault(error: stopped, database: nil, key: nil, isSkipped: false), input: path)
                return ExitStatus(stopped)
            }
            report.end(
                input: path, version: reader.version, consumer: consumer, end: end, stopped: stopped,
                byteCount: reader.offset)
            return consumer.faultCount > 0 ? .differences : .done
        }
        report.flush()
        try run.finish(file, failure: report.failure, status: status)
    }

    /// Whether commands of a log follow the end. Other bytes behind it are a fault.
    private static func look(
        behind end: RDBEnd, _ reader: inout RDBReader, _ faults: CheckFaults
    ) throws(EntryFault) -> Bool {
        do throws(DecodeError) {
            guard let next = try reader.peekTrailingByte() else { return false }
            if next == UInt8(ascii: "*") || next == UInt8(ascii: "#") { return true }
            let error = DecodeError(
                .trailingBytes, at: ByteLocation(offset: end.byteCount), expected: "the end of the input",
                found: .unsigned(try reader.countTrailingBytes()))
            faults.tell(EntryFault(error: error, database: nil, key: nil, isSkipped: false))
            return false
        } catch { throw EntryFault(error: error, database: nil, key: nil, isSkipped: false) }
    }
}

enum CheckFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, csv
}
