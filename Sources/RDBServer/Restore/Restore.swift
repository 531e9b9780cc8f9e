import Glibc
import NIOCore
import NIOPosix
public import RDBKit

/// Replays the entries of a file into a live server or cluster.
///
///     let restore = Restore(to: [try ServerURL("redis://127.0.0.1")])
///     restore.options.onConflict = .skip
///     var reader = try RDBReader(Input(path: "dump.rdb").source)
///     let loop = EntryLoop(selection: Selection(now: currentMilliseconds()))
///     let outcome = try restore.run(&reader, loop) { print($0.key, $0.message) }
///     if outcome.stop == nil, outcome.summary.isWhole { print("all of it") }
///
/// A key appears whole or not at all. The calls block; connections work on threads of their own. Memory: some 16 MiB on
/// their way and as much around them, whatever the file holds.
public final class Restore {
    private let seeds: [ServerURL]
    private let connectionOptions: ConnectionOptions
    public var options: RestoreOptions
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private var found: (control: ServerConnection, description: TargetDescription, topology: ClusterTopology?)?
    private var target: RestoreTarget?

    /// - Parameters:
    ///   - seeds: one server; of a cluster any of its nodes, tried in turn.
    ///   - connection: what the URLs leave open.
    public init(
        to seeds: [ServerURL], connection: ConnectionOptions = ConnectionOptions(),
        options: RestoreOptions = RestoreOptions()
    ) {
        self.seeds = seeds
        connectionOptions = seeds.first.map { connection.filled(from: $0) } ?? connection
        self.options = options
    }

    deinit { close() }

    public func close() {
        target?.close()
        found?.control.close()
        found = nil
        // The loops end by themselves; nobody has to wait for them.
        group.shutdownGracefully { _ in }
    }

    // MARK: - The target

    /// Connects to the first server that answers, and finds out what it is.
    /// - Throws: also where nothing can be written to it: it is loading, a read-only replica, no cluster whole.
    public func connect() throws(ServerError) -> TargetDescription {
        if let found { return found.description }
        var failure: ServerError?
        for seed in seeds {
            do throws(ServerError) {
                return try connect(to: seed)
            } catch {
                // Another node may be there, or in a better state.
                switch error.code {
                case .cannotResolve, .unsuitableTarget: break
                default: if !error.isOfConnection { throw error }
                }
                failure = failure ?? error
            }
        }
        throw failure ?? ServerError(.badURL, "no server is named")
    }

    func connected() throws(ServerError) -> ServerConnection {
        _ = try connect()
        guard let found else { preconditionFailure("connected") }
        return found.control
    }

    private func connect(to seed: ServerURL) throws(ServerError) -> TargetDescription {
        var options = connectionOptions.filled(from: seed)
        // The entries' own databases count; the URL's is looked at by whoever maps them.
        options.database = nil
        let control = try ServerConnection.connect(to: seed.address, options: options, group: group)
        try awaitAnswers(control)
        let description = try TargetDescription.describe(control)
        // Any node of a cluster knows the others, a replica as well.
        if let obstacle = description.obstacle, description.mode != .cluster || description.loading != nil {
            throw obstacle
        }
        var topology: ClusterTopology?
        if description.mode == .cluster {
            topology = try ClusterTopology.read(control, usesTLS: options.usesTLS)
            if let topology, topology.unassignedCount > 0 {
                throw ServerError(
                    .unsuitableTarget,
                    "\(seed.address): \(topology.unassignedCount) slots of the cluster have no server")
            }
        }
        found = (control, description, topology)
        return description
    }

    /// A script may run for long; until it is done nothing can be found out.
    private func awaitAnswers(_ control: ServerConnection) throws(ServerError) {
        let started = currentMilliseconds()
        while true {
            let reply = try control.call("PING")
            guard reply.errorCode == "BUSY" else { return }
            if currentMilliseconds() - started >= options.patienceMilliseconds {
                throw .refused(control.address, "cannot use the server", reply)
            }
            usleep(100_000)
        }
    }

    /// Whether the user may not use RESTORE, which counts as dangerous: then all goes by commands.
    public private(set) var isRestoreDenied = false

    /// The payload is none, so that nothing comes of it whoever asks.
    private func probeRestore(_ control: ServerConnection) throws(ServerError) {
        guard options.form == .auto, !options.isDryRun else { return }
        let words = try control.call("RESTORE", "rdbkit:probe", "0", "none").errorText ?? ""
        isRestoreDenied = words.hasPrefix("NOPERM") && words.contains("run the")
    }

    /// What the target takes.
    private func plan(_ description: TargetDescription) -> RestorePlan {
        let isEvicting = (description.maxMemory ?? 0) > 0
        let policy = description.maxMemoryPolicy ?? ""
        return RestorePlan(
            target: description.serverVersion, form: isRestoreDenied ? .commands : options.form,
            onConflict: options.onConflict,
            batches: description.mode != .cluster && !options.changes.renames,
            keepsEvictionHints: isEvicting && (policy.contains("lru") || policy.contains("lfu")),
            maxByteCount: Int(clamping: min(options.bigValueByteCount, UInt64(ByteWindow.maxContiguousByteCount))),
            maxPayloadByteCount: min(options.bigValueByteCount, FrameBuilder.maxPayloadByteCount),
            modules: description.modules.map { Set($0.map(\.name)) },
            now: currentMilliseconds())
    }

    private func openTarget() throws(ServerError) -> RestoreTarget {
        let description = try connect()
        guard let found else { preconditionFailure("connected") }
        if let target { return target }
        try probeRestore(found.control)
        let made = RestoreTarget(
            seeds: seeds, options: connectionOptions, group: group, control: found.control, topology: found.topology,
            plan: plan(description), connections: options.connections)
        target = made
        return made
    }

    /// Removes all keys of the target.
    /// - Returns: how many servers were emptied.
    public func flush() throws(ServerError) -> Int {
        let target = try openTarget()
        for server in target.servers {
            let reply = try target.ask(server, "FLUSHALL")
            if !reply.isOK { throw .refused(server, "cannot remove its keys", reply) }
        }
        return target.servers.count
    }

    // MARK: - Running

    public enum Stop: Sendable {
        /// A key exists, and `onConflict` is `.error`.
        case conflict
        case server(ServerError)
        /// The checkpoint cannot be written.
        case checkpoint(OutputError)
        case interrupted
    }

    public struct Outcome: Sendable {
        public var summary: RestoreSummary
        /// Why the run ended before its input did.
        public var stop: Stop?
        /// The fault of the input that ended it, if one did.
        public var input: Result<LoopOutcome, EntryFault>
    }

    /// Sends every entry that the loop selects.
    /// - Parameter report: called with each entry that the target did not take.
    public func run(
        _ reader: inout RDBReader, _ loop: EntryLoop, checkpoint: CheckpointFile? = nil,
        report: @escaping (RestoreFailure) -> Void = { _ in }
    ) throws(ServerError) -> Outcome {
        let target = try openTarget()
        let started = currentMilliseconds()
        let engine = RestoreEngine(target, plan: target.plan, options: options, checkpoint: checkpoint, report: report)
        engine.inputVersion = reader.version
        var consumer: RestoreConsumer
        do { consumer = try RestoreConsumer(engine, options) } catch {
            throw ServerError(.badURL, "the regular expression is wrong: \(error)")
        }
        let input: Result<LoopOutcome, EntryFault>
        do throws(EntryFault) { input = .success(try loop.run(&reader, &consumer)) } catch {
            input = .failure(error)
            if error.error.code == .interrupted { engine.end(.interrupted) }
        }
        // What was read before a fault is still sent.
        engine.finish(isWhole: (try? input.get()) != nil, position: reader.offset)
        var summary = engine.summary
        summary.expired = consumer.expired
        summary.resumed = consumer.resumed
        summary.failedBefore = engine.resumeOffsets.failed
        summary.milliseconds = currentMilliseconds() - started
        return Outcome(summary: summary, stop: engine.stop.map { Self.publicStop($0) }, input: input)
    }

    private static func publicStop(_ stop: RestoreEngine.Stop) -> Stop {
        switch stop {
        case .conflict: .conflict
        case .server(let error): .server(error)
        case .checkpoint(let error): .checkpoint(error)
        case .interrupted: .interrupted
        }
    }

    /// Reads every selected entry back and compares; the counts are added to the summary.
    public func verify(
        _ reader: inout RDBReader, _ loop: EntryLoop, _ summary: inout RestoreSummary,
        report: @escaping (RestoreFailure) -> Void
    ) throws(ServerError) -> Result<LoopOutcome, EntryFault> {
        let target = try openTarget()
        var consumer: VerifyConsumer
        do { consumer = try VerifyConsumer(target, target.plan, options, report) } catch {
            throw ServerError(.badURL, "the regular expression is wrong: \(error)")
        }
        let result: Result<LoopOutcome, EntryFault>
        do throws(EntryFault) { result = .success(try loop.run(&reader, &consumer)) } catch { result = .failure(error) }
        consumer.flush()
        if let failure = consumer.failure { throw failure }
        summary.verified = consumer.same
        summary.differing = consumer.differing
        summary.uncompared = consumer.uncompared
        return result
    }
}

/// Entries to the engine.
struct RestoreConsumer: EntryConsumer, ~Copyable {
    private let engine: RestoreEngine
    private let keepsExpired: Bool
    private let now: Int64
    private let acknowledged: UInt64
    private let joinsDatabases: Bool
    private var database: UInt64?
    private var rewriter: EntryRewriter
    private(set) var expired: UInt64 = 0
    private(set) var resumed: UInt64 = 0

    init(_ engine: RestoreEngine, _ options: RestoreOptions) throws(RegexPattern.SyntaxError) {
        self.engine = engine
        keepsExpired = options.keepsExpired
        now = engine.plan.now
        acknowledged = engine.resumeOffsets.acknowledged
        joinsDatabases = !options.changes.databases.isEmpty || options.changes.otherDatabases != nil
        rewriter = try EntryRewriter(options.changes)
    }

    var isDone: Bool { engine.stop != nil }

    mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        if reader.header.startOffset < acknowledged {
            resumed += 1
            return try reader.skipValue()
        }
        engine.position = reader.header.startOffset
        if joinsDatabases, reader.header.database != database {
            if database != nil { engine.separate() }
            database = reader.header.database
        }
        let header = rewriter.rewrite(reader.header)
        if !keepsExpired, let expiresAt = header.expiresAt, expiresAt <= now {
            expired += 1
            return try reader.skipValue()
        }
        let key = rewriter.renames ? rewriter.rename(reader.key).array : reader.copyKey()
        try engine.add(&reader, header, key: key.rawSpan)
    }

    mutating func section(_ item: RDBItem) {
        if case .function(let library) = item { engine.load(library) }
    }
}
