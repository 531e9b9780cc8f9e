public import ArgumentParser
public import RDBKit

struct DigestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest",
        abstract: "Write one digest of the data in each file.",
        discussion: """
            128 bits that are the same for the same data: databases, keys, types, values, expiries, stream groups. Not for \
            how they are stored: encodings, order of keys, sets and hashes, versions, idle times. With --redis, what a \
            server that holds the data answers to DEBUG DIGEST; with --per-key as well, to DEBUG DIGEST-VALUE.
            """)

    @Argument(
        help: ArgumentHelp(
            "RDB files, append-only logs (files, folders, manifests), or URLs of live servers; - is standard input.",
            valueName: "input"))
    var inputs: [String]

    @Flag(help: "One line for each database.")
    var perDB = false

    @Flag(help: "One line for each key, in the order of the file.")
    var perKey = false

    @OptionGroup var ignored: IgnoreOptions

    @Flag(help: "Let function libraries count.")
    var functions = false

    @Flag(help: "Write what the servers' own DEBUG DIGEST tells: 160 bits, without stream groups and times of expiry.")
    var redis = false

    @Option(
        help: ArgumentHelp(
            "With --redis, the server to be like, such as redis-7.0 or valkey-9.1. By default one that writes such a file.",
            valueName: "server"))
    var server: ServerRules?

    @Option(help: ArgumentHelp("Write text, or JSON Lines.", valueName: "format"))
    var format = DigestLineWriter.Format.text

    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Live servers") var servers: ServerInputOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Run") var options: RunOptions

    func validate() throws {
        if perDB, perKey { throw ValidationError("--per-db and --per-key exclude each other") }
        if redis, functions || !ignored.ignore.isEmpty {
            throw ValidationError("DEBUG DIGEST knows no --functions and no --ignore")
        }
        if server != nil, !redis { throw ValidationError("--server belongs to --redis") }
        if perKey || perDB, functions { throw ValidationError("functions belong to no key and no database") }
    }

    func run() throws {
        let run = InputRun(options, selection, servers: servers)
        let file = try run.open(output)
        var failure: OutputError?
        let status = run.forEach(inputs) { reader, path in
            if failure != nil { return .done }
            if redis {
                let rules = server?.rules ?? RedisDigest.Rules(writerOf: reader.version)
                return write(RedisDigest(rules, perKey ? .value : .entry), &reader, path, run, file, &failure)
            }
            return write(EntryDigest(ignored.parts), &reader, path, run, file, &failure)
        }
        try run.finish(file, failure: failure, status: status)
    }

    private func write<V: DigestVisitor>(
        _ visitor: V, _ reader: inout RDBReader, _ path: String, _ run: InputRun, _ file: OutputFile,
        _ failure: inout OutputError?
    ) -> ExitStatus {
        var lines = DigestLineWriter(file, format: format)
        // A line for each key or database names its input only where there are several: so those of two files can be
        // held against each other.
        if inputs.count > 1 || !perKey && !perDB { lines.input = path }
        var consumer = DigestConsumer(visitor, lines: lines, writesKeys: perKey)
        let result: Result<LoopOutcome, EntryFault>
        do throws(EntryFault) {
            result = .success(
                try run.loop(path, selection.selection()).run(&reader, &consumer, threads: options.threadCount))
        } catch { result = .failure(error) }
        // A total of what came before a fault would look like one of the whole.
        if case .success = result, !perKey, !consumer.hasTooManyDatabases {
            consumer.writeTotals(perDatabase: perDB, countsFunctions: functions)
        }
        consumer.lines.flush()
        failure = failure ?? consumer.lines.failure
        let status = run.tell(result, path)
        if consumer.hasTooManyDatabases {
            run.diagnostics.error("\(path): more than 65536 databases", code: "limitExceeded")
            return status.combined(with: .damagedInput)
        }
        return status
    }
}

/// A family and a version of servers.
struct ServerRules: ExpressibleByArgument {
    let rules: RedisDigest.Rules

    init?(argument: String) {
        guard let rules = RedisDigest.Rules(server: argument) else { return nil }
        self.rules = rules
    }
}

extension DigestLineWriter.Format: ExpressibleByArgument {}
