import Glibc
import RDBKit
import RDBServer

/// `restore --as replication`: looks at the file first, then lets the target load it.
struct ReplicationRun {
    private let command: RestoreCommand
    private let inputs: InputRun
    private let restore: Restore
    private let description: TargetDescription

    init(_ command: RestoreCommand, _ inputs: InputRun, _ restore: Restore, _ description: TargetDescription) {
        self.command = command
        self.inputs = inputs
        self.restore = restore
        self.description = description
    }

    func run(now: Int64) throws(ServerError) -> ExitStatus {
        var version: RDBVersion?
        // A server may not survive a file that it cannot load: it is looked at first, and so read twice.
        var start = 0
        if command.input == "-" {
            do throws(SourceError) { start = try makeRereadable(STDIN_FILENO) } catch {
                inputs.diagnostics.error(InputError(path: command.input, cause: error))
                return ExitStatus(error, isOpening: false)
            }
        }
        var isLog = false
        let status = inputs.forEach([command.input]) { reader, path in
            isLog = inputs.current.log != nil
            if isLog { return .done }
            version = reader.version
            return look(at: &reader, path, now)
        }
        if isLog {
            inputs.diagnostics.error(
                "\(command.input): a full synchronization carries an RDB file; a log goes with --as restore or commands",
                code: "unsupportedInput")
            return .damagedInput
        }
        guard status == .done, let version else { return status }
        if command.input == "-" { _ = lseek(STDIN_FILENO, start, SEEK_SET) }
        let source: any ByteSource
        do throws(InputError) { source = try Input(path: command.input).source } catch {
            inputs.diagnostics.error(error)
            return ExitStatus(error.cause, isOpening: true)
        }
        if command.dryRun {
            inputs.diagnostics.notice(
                "would give \(description.name) at \(description.address) the whole of \(command.input) by replication")
            return .done
        }
        if command.flush { try restore.empty() }
        var options = ReplicationSync.Options()
        options.announce = command.announce.flatMap { ServerAddress(hostAndPort: $0) }
        let progress = inputs.diagnostics.replicationProgress()
        // A compressed source knows the size of its file only.
        let byteCount = source is DescriptorSource ? source.byteCount : nil
        let summary = try restore.synchronize(
            source, byteCount: byteCount, version: version, options: options, onProgress: progress)
        inputs.diagnostics.clearProgress()
        if let error = summary.settingError { inputs.diagnostics.notice(error.message) }
        report(summary)
        return .done
    }

    /// Checksum, frame and modules: what a target would stumble over.
    private func look(at reader: inout RDBReader, _ path: String, _ now: Int64) -> ExitStatus {
        var consumer = SummaryConsumer(version: reader.version, now: now)
        var hasTail = false
        var loop = inputs.loop(path, Selection(now: now))
        let tell = loop.notice
        loop.notice = { notice in
            switch notice {
            case .trailingBytes, .trailingCommands: hasTail = true
            default: break
            }
            tell(notice)
        }
        do throws(EntryFault) { _ = try loop.run(&reader, &consumer) } catch {
            inputs.diagnostics.error(error, input: path)
            return ExitStatus(error.error)
        }
        if hasTail {
            inputs.diagnostics.error(
                "\(path): what follows the end of the RDB cannot be given to a server", code: "trailingBytes")
            return .damagedInput
        }
        let loaded = description.modules.map { Set($0.map(\.name)) }
        for name in consumer.compatibility.modules.sorted() where loaded.map({ $0.isEmpty }) ?? false {
            inputs.diagnostics.error("the target has no module, and the file needs \(name)", code: "noModule")
            return .serverUnavailable
        }
        return .done
    }

    private func report(_ summary: ReplicationSummary) {
        let keys = summary.keyCounts.map { $0.values.reduce(0, +) }
        var out = OutputBuffer(capacity: 512)
        if command.format == .json {
            let value = JSONValue.members(
                ("target", .text("\(description.name) at \(description.address)")), ("by", .text("replication")),
                ("sent_bytes", .unsigned(summary.byteCount)),
                ("elapsed_ms", .unsigned(UInt64(max(0, summary.seconds * 1000)))),
                ("keys", keys.map { .unsigned($0) }))
            value.append(to: &out)
            out.append("\n")
        } else if !command.options.quiet {
            let tenths = Int((summary.seconds * 10).rounded())
            out.append(
                "restored into \(description.name) at \(description.address) by replication\n"
                    + "\(humanByteCount(summary.byteCount)) in \(tenths / 10).\(tenths % 10) s"
                    + (keys.map { ", \($0) keys" } ?? "") + "\n")
        }
        // A closed pipe has nobody to be told.
        try? OutputFile().write(out.bytes)
    }
}
