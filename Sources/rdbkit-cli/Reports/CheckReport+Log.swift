import RDBKit

/// The summary of a log that was checked.
struct LogCheck {
    let path: String
    /// As many as the log has.
    let fileCount: Int
    let manifest: AOFManifest?
    let outcomes: [AOFFileOutcome]
    /// Of what did not end the reading of a file.
    let otherFaultCount: UInt64
    /// Entries of the RDB before the commands, by file.
    let rdbEntryCounts: [String: UInt64]

    var load: AOFLoad { AOFLoad(outcomes) }

    var faultCount: UInt64 {
        outcomes.reduce(otherFaultCount) { count, outcome in
            count + (outcome.fault == nil && outcome.failure == nil ? 0 : 1)
                + (outcome.openTransactionOffset == nil ? 0 : 1)
        }
    }

    var isSound: Bool { faultCount == 0 }
    var commandCount: UInt64 { outcomes.reduce(0) { $0 + $1.commandCount } }
    var transactionCount: UInt64 { outcomes.reduce(0) { $0 + $1.transactionCount } }
    var byteCount: UInt64 { outcomes.reduce(0) { $0 + $1.byteCount } }

    /// The file that a cut can mend and what it loses: the last, where all before it is whole.
    var cut: AOFFileOutcome? {
        guard let last = outcomes.last, outcomes.count == fileCount, last.lostByteCount > 0 else { return nil }
        let isMendable =
            outcomes.dropLast().allSatisfy { $0.fault == nil && $0.failure == nil && $0.openTransactionOffset == nil }
            && (last.rdbVersion == nil || last.rdbEnd != nil)
        return isMendable ? last : nil
    }

    /// The fault of a group without end, as one of the file.
    static func openTransaction(_ offset: UInt64) -> EntryFault {
        let error = DecodeError(
            .badTransaction, at: ByteLocation(offset: offset), expected: "an EXEC behind this MULTI",
            found: .endOfInput)
        return EntryFault(error: error, database: nil, key: nil, isSkipped: false)
    }
}

func counted(_ count: UInt64, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }

extension CheckReport {
    /// What ended the reading of a file.
    func fileEnd(_ outcome: AOFFileOutcome) {
        if let failure = outcome.failure { self.failure(failure) }
        if let fault = outcome.fault, fault.error.isAboutInput { self.fault(fault, input: outcome.file.path) }
        if let offset = outcome.openTransactionOffset {
            fault(LogCheck.openTransaction(offset), input: outcome.file.path)
        }
    }

    func end(_ check: LogCheck) {
        switch format {
        case .text: if !quiet { lines.text.append(text(check)) }
        case .json:
            json(check).append(to: &lines.text)
            lines.text.append("\n")
        case .csv: break
        }
    }

    // MARK: - For people

    private func text(_ check: LogCheck) -> String {
        let path = check.path
        var text = ""
        if check.manifest != nil {
            for outcome in check.outcomes where outcome.failure == nil {
                text += "\(outcome.file.path): \(description(outcome, check))\n"
            }
        }
        if let history = check.manifest?.historyFiles.count, history > 0 {
            text += "\(path): \(counted(UInt64(history), "history file")) not read: servers do not load them\n"
        }
        if check.isSound {
            if let outcome = check.outcomes.first, check.manifest == nil {
                return text + "\(path): sound: \(description(outcome, check))\n"
            }
            return text + "\(path): sound: \(counted(UInt64(check.outcomes.count), "file")), \(totals(check))\n"
        }
        text += "\(path): \(counted(check.faultCount, "fault")) in \(totals(check))"
        return text + "\n\(path): \(remedy(check))\n"
    }

    private func totals(_ check: LogCheck) -> String {
        "\(counted(check.commandCount, "command")), \(counted(check.transactionCount, "transaction")), "
            + "\(check.byteCount) bytes"
    }

    private func description(_ outcome: AOFFileOutcome, _ check: LogCheck) -> String {
        var parts: [String] = []
        if let version = outcome.rdbVersion {
            parts.append("\(version.magic), \(counted(check.rdbEntryCounts[outcome.file.name] ?? 0, "key"))")
            parts.append("checksum \(ChecksumState(outcome.rdbEnd, outcome.fault?.error).words)")
        }
        if outcome.rdbVersion == nil || outcome.commandCount > 0 {
            parts.append(counted(outcome.commandCount, "command"))
            parts.append(counted(outcome.transactionCount, "transaction"))
        }
        return (parts + ["\(outcome.byteCount) bytes"]).joined(separator: ", ")
    }

    private func remedy(_ check: LogCheck) -> String {
        let name = check.manifest == nil ? "" : check.outcomes.last.map { " of \($0.file.name)" } ?? ""
        switch check.load {
        case .whole: return "servers load all of it, redis-check-aof refuses it; rdbkit aof repair writes it anew"
        case .truncated:
            let cut = check.outcomes[check.outcomes.count - 1]
            return "servers load it up to byte \(cut.safeCut)\(name) unless aof-load-truncated is no; "
                + "\(counted(cut.lostByteCount, "byte")) behind it would be lost"
        case .refused:
            guard let cut = check.cut else {
                return "servers refuse it; to cut the last file does not mend it"
            }
            return "servers refuse it; rdbkit aof repair keeps all up to byte \(cut.safeCut)\(name); "
                + "\(counted(cut.lostByteCount, "byte")) behind it would be lost"
        }
    }

    // MARK: - For machines

    private func json(_ check: LogCheck) -> JSONValue {
        .members(
            ("input", .text(check.path)), ("sound", .bool(check.isSound)),
            ("faults", .unsigned(check.faultCount)), ("commands", .unsigned(check.commandCount)),
            ("transactions", .unsigned(check.transactionCount)), ("read_bytes", .unsigned(check.byteCount)),
            ("load", .text(check.load.rawValue)),
            ("cut_file", check.cut.map { .text($0.file.name) }),
            ("cut_offset", check.cut.map { .unsigned($0.safeCut) }),
            ("lost_bytes", check.cut.map { .unsigned($0.lostByteCount) }),
            ("files", .array(check.outcomes.map { json($0, check) })),
            (
                "history_files",
                check.manifest.map { .array($0.historyFiles.map { .text($0.name) }) }
            ))
    }

    private func json(_ outcome: AOFFileOutcome, _ check: LogCheck) -> JSONValue {
        .members(
            ("file", .text(outcome.file.name)), ("role", .text(outcome.file.role.rawValue)),
            ("size_bytes", .unsigned(outcome.byteCount)),
            ("rdb_version", outcome.rdbVersion.map { .integer(Int64($0.number)) }),
            ("family", outcome.rdbVersion.map { .text($0.family.rawValue) }),
            ("keys", outcome.rdbVersion.map { _ in .unsigned(check.rdbEntryCounts[outcome.file.name] ?? 0) }),
            (
                "checksum",
                outcome.rdbVersion.map { _ in .text(ChecksumState(outcome.rdbEnd, outcome.fault?.error).rawValue) }
            ),
            ("commands", .unsigned(outcome.commandCount)), ("transactions", .unsigned(outcome.transactionCount)),
            ("first_time", outcome.firstTime.map { .integer($0) }),
            ("last_time", outcome.lastTime.map { .integer($0) }),
            ("safe_bytes", .unsigned(outcome.safeCut)))
    }
}

extension InputRun {
    /// Checks one log. A missing file is a fault as others are.
    func check(_ input: AOFInput, _ report: CheckReport) -> ExitStatus {
        var consumer = AOFCheckConsumer(threads: options.threadCount) { [report] fault, file in
            report.fault(fault, input: file.path)
        } notice: { [diagnostics] notice, file in
            diagnostics.notice(notice, input: file.path)
        }
        var loop = logLoop(input)
        loop.keeping = .beginnings
        loop.goesOnAfterFault = true
        loop.fileEnd = { [report] in report.fileEnd($0) }
        let outcomes = loop.run(input, &consumer)
        diagnostics.clearProgress()
        if let last = outcomes.last, let fault = last.fault, !fault.error.isAboutInput {
            diagnostics.error(fault, input: last.file.path)
            return ExitStatus(fault.error)
        }
        let check = LogCheck(
            path: input.path, fileCount: input.files.count, manifest: input.manifest, outcomes: outcomes,
            otherFaultCount: consumer.faultCount, rdbEntryCounts: consumer.rdbEntryCounts)
        report.end(check)
        return check.isSound ? .done : .differences
    }
}

extension InputRun {
    /// Checks commands that follow an RDB which was checked already, in the same file.
    func checkCommands(
        behind rdb: consuming RDBReader, end: RDBEnd, of path: String, _ report: CheckReport, faultCount: UInt64,
        entryCount: UInt64
    ) -> ExitStatus {
        let file = AOFInput.File(role: .single, name: path, path: path)
        var outcome = AOFFileOutcome(file)
        outcome.rdbVersion = rdb.version
        outcome.rdbEnd = end
        var consumer = AOFCheckConsumer(threads: 1) { [report] fault, file in
            report.fault(fault, input: file.path)
        } notice: { _, _ in
        }
        consumer.begin(file)
        var loop = AOFLoop()
        loop.progress = diagnostics.progress(counting: "commands")
        var reader = AOFReader(behind: rdb, keeping: .beginnings)
        do throws(EntryFault) { try loop.run(&reader, &consumer, &outcome) } catch { outcome.fault = error }
        diagnostics.clearProgress()
        if let fault = outcome.fault, !fault.error.isAboutInput {
            diagnostics.error(fault, input: path)
            return ExitStatus(fault.error)
        }
        report.fileEnd(outcome)
        let check = LogCheck(
            path: path, fileCount: 1, manifest: nil, outcomes: [outcome],
            otherFaultCount: faultCount + consumer.faultCount, rdbEntryCounts: [path: entryCount])
        report.end(check)
        return check.isSound ? .done : .differences
    }
}
