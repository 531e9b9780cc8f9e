import ArgumentParser
import RDBKit

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Tell whether two inputs hold the same data.",
        discussion: """
            Compares databases, keys, types, values, expiries, stream groups and function libraries, whatever the order, \
            encoding and version in which they are stored, and counts keys that are only in A, only in B, and different. \
            Status 0: the same data; 1: differences. rdbkit diff shows them.
            """)

    @Argument(help: .anyInput("a"))
    var a: String

    @Argument(help: ArgumentHelp("What to hold against it.", valueName: "b"))
    var b: String

    @OptionGroup(title: "Comparison") var compared: CompareOptions

    @Option(help: ArgumentHelp("Write text for people, or one JSON object.", valueName: "format"))
    var format = VerifyFormat.text

    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Live servers") var servers: ServerInputOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        try CompareRun.check(a, b, selection)
    }

    func run() throws {
        compared.chooseFolder()
        let compare = try CompareRun(options, [a, b], selection, servers: servers)
        let file = try compare.run.open(output)
        let comparison = compare.comparison(compared.options(selects: !selection.isEmpty))
        var failure: OutputError?
        let looksAgain = comparison.options.expiryTolerance != nil
        let (found, goesOn) = compare.compare(comparison, isLast: !looksAgain)
        var status = found
        if goesOn {
            if comparison.doubtfulCount > 0 {
                status = status.combined(with: compare.tellDifferences(comparison, into: NoSink()))
            }
            let report = VerifyReport(
                comparison, compare.name(.a), compare.name(.b), isWhole: status == .done,
                isSample: selection.sample != nil)
            do throws(OutputError) { try file.write(report.text(format).rawSpan) } catch { failure = error }
            if status == .done, !comparison.isSame { status = .differences }
        }
        try compare.run.finish(file, failure: failure, status: status)
    }
}

/// Keys are looked at only to see whether they differ.
private final class NoSink: DifferenceSink {
    let wantsElements = true
    let failure: OutputError? = nil
    func removed(_ a: inout RDBReader) throws(DecodeError) {}
    func added(_ b: inout RDBReader) throws(DecodeError) {}
    func replaced(_ a: inout RDBReader, _ b: inout RDBReader) throws(DecodeError) {}
    func changed(
        _ a: inout RDBReader, _ b: inout RDBReader, _ changes: inout ValueChanges, _ expiry: ExpiryChange?
    ) throws(SinkFailure) {}
    func function(_ library: FunctionTable.Library, _ change: FunctionTable.Change, source: [UInt8]?) {}
}

enum VerifyFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

extension CompareRun {
    /// What no comparison can be asked for.
    static func check(_ a: String, _ b: String, _ selection: SelectionOptions) throws {
        if a == "-", b == "-" { throw ValidationError("only one of the two can be standard input") }
        if selection.limit != nil {
            throw ValidationError(
                "the first entries of two files need not be the same; --sample takes the same keys of both")
        }
    }
}
