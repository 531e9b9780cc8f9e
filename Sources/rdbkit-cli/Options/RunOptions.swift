public import ArgumentParser
import Glibc
public import RDBKit

enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never
}

enum ErrorFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

/// How a run behaves besides what it reads and writes; the same on every command.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "After a value that cannot be decoded: stop, or skip it where its end is known.", valueName: "what"))
    var onError = EntryLoop.OnError.stop

    @Flag(inversion: .prefixedNo, help: "Show progress on standard error. By default on a terminal, for long work.")
    var progress: Bool?

    @Flag(name: .shortAndLong, help: "Write no messages but errors.")
    var quiet = false

    @Option(help: ArgumentHelp("Threads that decode; by default one for each processor, at most 6.", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("Colour messages: auto, always or never. NO_COLOR is obeyed.", valueName: "when"))
    var color = ColorChoice.auto

    @Option(help: ArgumentHelp("Write each error as text, or as one JSON object.", valueName: "format"))
    var errorFormat = ErrorFormat.text

    func validate() throws {
        if let threads, !(1...64).contains(threads) { throw ValidationError("--threads takes 1 to 64") }
    }

    var threadCount: Int { threads ?? min(6, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    private static var hasNoColor: Bool { unsafe getenv("NO_COLOR") != nil }

    /// Whether what is written to a terminal is coloured.
    private func colors(isTerminal: Bool) -> Bool {
        switch color {
        case .always: true
        case .never: false
        case .auto: isTerminal && !Self.hasNoColor
        }
    }

    /// Of results.
    func colors(_ output: OutputOptions) -> Bool {
        colors(isTerminal: (output.output == nil || output.output == "-") && isatty(STDOUT_FILENO) == 1)
    }

    func diagnostics() -> Diagnostics {
        let isTerminal = isatty(STDERR_FILENO) == 1
        return Diagnostics(
            quiet: quiet, colors: colors(isTerminal: isTerminal), format: errorFormat,
            showsProgress: progress ?? (isTerminal && !quiet), forcesProgress: progress == true)
    }
}

extension EntryLoop.OnError: ExpressibleByArgument {}

/// Where results go.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write to this file, which appears when it is whole; .gz compresses. - is standard output.",
            valueName: "file"))
    var output: String?

    func open() throws(OutputError) -> OutputFile { try Self.open(output) }

    static func open(_ output: String?) throws(OutputError) -> OutputFile {
        guard let output, output != "-" else { return OutputFile() }
        return try OutputFile(path: output)
    }
}
