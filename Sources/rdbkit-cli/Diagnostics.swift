import Glibc
import RDBKit
import RDBServer

/// Messages and progress on standard error.
final class Diagnostics {
    private let quiet: Bool
    private let colors: Bool
    private let format: ErrorFormat
    private let showsProgress: Bool
    private let forcesProgress: Bool
    private var hasProgressLine = false
    private let started = currentMilliseconds()
    /// Of the pass at hand, for its rate.
    private lazy var began = started
    private var lastShown: Int64 = 0
    private var tellsOfSkipped = 0
    private static let maxNoticesOfAKind = 20

    init(quiet: Bool, colors: Bool, format: ErrorFormat, showsProgress: Bool, forcesProgress: Bool) {
        self.quiet = quiet
        self.colors = colors
        self.format = format
        self.showsProgress = showsProgress
        self.forcesProgress = forcesProgress
    }

    // MARK: - Errors

    /// Of an input that is a log: the file in which bytes of its state stand.
    struct Origin {
        var input: String
        var file: String
        var places: StreamPlaces
    }

    /// Set while such an input is read.
    var origin: Origin?

    func error(_ fault: EntryFault, input: String) {
        if fault.error.code == .interrupted { return }
        if let origin, origin.input == input, let place = origin.places.origin(of: fault.error.offset) {
            var fault = fault
            fault.error.offset = place
            self.origin = nil
            defer { self.origin = origin }
            return error(fault, input: origin.file)
        }
        var text = "\(input): \(fault.error.place)"
        if let database = fault.database {
            text += " (db \(database)"
            if let key = fault.key { text += ", key \(Self.quoted(key))" }
            text += ")"
        }
        text += ": \(Self.message(of: fault.error))"
        if fault.isSkipped { text += "; left out" }
        error(
            text,
            .members(
                ("code", .text(fault.error.code.rawValue)), ("message", .text(Self.message(of: fault.error))),
                ("input", .text(input)), ("offset", .unsigned(fault.error.offset)),
                ("inner_offset", fault.error.innerOffset.map { .unsigned($0) }),
                ("db", fault.database.map { .unsigned($0) }), ("key", fault.key.map { .bytes($0) })))
    }

    func error(_ failure: InputError) {
        switch failure.cause {
        case .interrupted: break
        case .system(let number):
            let words = Self.systemMessage(number)
            error(
                "\(failure.path): cannot read: \(words)",
                .members(("code", .text("cannotOpen")), ("message", .text(words)), ("input", .text(failure.path))))
        case .damaged(let code, let expected):
            let words = "\(code.words): expected \(expected)"
            error(
                "\(failure.path): byte 0: \(words)",
                .members(
                    ("code", .text(code.rawValue)), ("message", .text(words)), ("input", .text(failure.path)),
                    ("offset", .unsigned(0))))
        }
    }

    func error(_ failure: OutputError) {
        switch failure {
        case .cannotCreate(let path, let number):
            let words = "cannot create: \(Self.systemMessage(number))"
            error("\(path): \(words)", .members(("code", .text("cannotCreate")), ("message", .text(words))))
        case .system(let number) where !failure.isClosedPipe:
            let words = "cannot write: \(Self.systemMessage(number))"
            error(words, .members(("code", .text("writeFailed")), ("message", .text(words))))
        default: break
        }
    }

    func error(_ failure: ServerError) {
        if failure.code == .interrupted { return }
        error(failure.message, code: failure.code.name)
    }

    /// An entry that a target did not take.
    func failure(_ failure: RestoreFailure) {
        let name = Self.quoted(failure.key)
        let subject = failure.type == nil ? "function library \(name)" : "key \(name) (db \(failure.database))"
        error("\(subject): \(failure.message)", failure.json)
    }

    /// A question on the terminal, without a line's end.
    func prompt(_ text: String) {
        clearProgress()
        write(text)
    }

    func missing(_ key: [UInt8], input: String) {
        error(
            "\(input): no key \(Self.quoted(key))",
            .members(
                ("code", .text("noSuchKey")), ("message", .text("no such key")), ("input", .text(input)),
                ("key", .bytes(key))))
    }

    /// A condition of `--fail-if` that holds.
    func failed(_ result: MemoryReport.ConditionResult) {
        var text = MemoryReport.sentence(result)
        for (index, entry) in result.offenders.enumerated() {
            text += "\(index == 0 ? ":" : ",") \(Self.quoted(entry.key)) (db \(entry.database))"
        }
        if result.keys > UInt64(result.offenders.count) { text += ", …" }
        error(text, code: "conditionHolds")
    }

    func error(_ text: String, code: String) {
        error(text, .members(("code", .text(code)), ("message", .text(text))))
    }

    private func error(_ text: String, _ object: JSONValue) {
        clearProgress()
        if format == .json {
            var out = OutputBuffer(capacity: 512)
            object.append(to: &out)
            out.append("\n")
            write(out.bytes)
        } else {
            write("\(colors ? "\u{1b}[31mrdbkit:\u{1b}[0m" : "rdbkit:") \(text)\n")
        }
    }

    private static func message(of error: DecodeError) -> String {
        if error.code == .readFailed, case .number(let number) = error.found {
            return "cannot read: \(systemMessage(Int32(truncatingIfNeeded: number)))"
        }
        return error.message
    }

    static func systemMessage(_ number: Int32) -> String {
        // strerror's text is copied at once; this program reports from one thread.
        unsafe String(cString: strerror(number))
    }

    /// A key for people: printable ASCII and UTF-8 as they are, the rest escaped, long ones cut.
    private static func quoted(_ key: [UInt8]) -> String {
        let shown = key.count > 200 ? Array(key.prefix(200)) : key
        var out = OutputBuffer(capacity: 512)
        JSONValue.bytes(shown).append(to: &out)
        return String(decoding: out.bytes.array, as: UTF8.self) + (shown.count < key.count ? "…" : "")
    }

    // MARK: - Notices

    func notice(_ text: String) {
        if quiet { return }
        clearProgress()
        write("rdbkit: \(text)\n")
    }

    func notice(_ notice: Notice, input: String) {
        switch notice {
        case .unknownVersion(let version):
            self.notice("\(input): \(version.magic) is newer than this release knows; reading on")
        case .inlineUpdate:
            self.notice("\(input): an inline update stands in the file and is not applied")
        case .skipped(let fault):
            tellsOfSkipped += 1
            if tellsOfSkipped <= Self.maxNoticesOfAKind { error(fault, input: input) }
        case .trailingCommands(let count, let offset):
            error(
                "\(input): \(count) bytes of commands follow the RDB at byte \(offset) and are not applied: its head does not say "
                    + "that it begins a log, and only a plain file is looked at behind its end",
                code: "unsupportedInput")
        case .trailingBytes(let count, let offset):
            self.notice("\(input): \(count) bytes follow the end of the RDB at byte \(offset) and are not read")
        }
    }

    func skippedTotal(_ count: UInt64, input: String) {
        error("\(input): \(count) value\(count == 1 ? "" : "s") left out", code: "skipped")
    }

    /// What a target cannot hold: of data as errors, of bookkeeping as a notice.
    func losses(_ tally: LossTally, target: ServerVersion?) {
        let name = target?.description ?? "Redis 6.2 (give --target for a newer server)"
        for example in tally.examples {
            for loss in CommandLoss.all where example.loss.contains(loss) {
                let words =
                    loss == .value ? Self.leftOut(example, name) : "\(name) cannot hold \(loss.words)"
                error(
                    "key \(Self.quoted(example.key)) (db \(example.database)): \(words)",
                    .members(
                        ("code", .text("lost")), ("message", .text(words)),
                        ("db", .unsigned(example.database)), ("key", .bytes(example.key))))
            }
        }
        if tally.functionCount > 0 {
            error(
                "\(name) cannot hold functions: \(Self.libraries(tally.functionCount)) left out", code: "lost")
        }
        if tally.cutFunctionCount > 0 {
            error("\(Self.libraries(tally.cutFunctionCount)) of more than 1 MiB left out", code: "lost")
        }
        for loss in CommandLoss.all {
            guard let count = tally.counts[loss] else { continue }
            let what = loss == .value ? "left out" : "without \(loss.words)"
            let text = "\(count) key\(count == 1 ? "" : "s") \(what)"
            if loss.isOfData { error(text, code: "lost") } else { notice(text) }
        }
        for (module, count) in tally.neededModules.sorted(by: { $0.key < $1.key }) {
            notice("\(count) key\(count == 1 ? " needs" : "s need") module \(module) at the target")
        }
    }

    private static func libraries(_ count: UInt64) -> String {
        "\(count) function librar\(count == 1 ? "y" : "ies")"
    }

    /// Why nothing of an entry is written.
    private static func leftOut(_ example: LossTally.Example, _ target: String) -> String {
        switch example.type {
        case .stream: return "\(target) cannot hold streams (Redis 5.0 has them)"
        case .array: return "\(target) cannot hold arrays (Redis 8.8 has them)"
        default:
            let type = example.module.map { "module \($0.name)" } ?? "type \(example.type.name)"
            return "left out: no command makes a value of \(type); RESTORE carries it to a server that has it"
        }
    }

    // MARK: - Progress

    /// For `EntryLoop.progress`; nil when none is shown.
    /// - Parameter step: what of a longer work it is; stands in front.
    func progress(step: String? = nil, counting unit: String = "keys") -> ((UInt64, UInt64, UInt64?) -> Void)? {
        guard showsProgress else { return nil }
        began = currentMilliseconds()
        return { [self] entries, consumed, total in show(step, unit, entries, consumed, total) }
    }

    private func show(_ step: String?, _ unit: String, _ entries: UInt64, _ consumed: UInt64, _ total: UInt64?) {
        let now = currentMilliseconds()
        // Work that is over within a second shows none.
        guard now - lastShown >= 200, forcesProgress || now - started >= 1000 else { return }
        lastShown = now
        let seconds = max(0.001, Double(now - began) / 1000)
        let rate = Double(consumed) / seconds
        var text = step.map { "\(TerminalText.plain($0))  " } ?? ""
        if let total, total > 0 {
            text += "\(min(100, consumed * 100 / total)) %  "
        }
        text +=
            "\(humanByteCount(consumed))  \(humanByteCount(UInt64(rate)))/s  \(UInt64(Double(entries) / seconds)) \(unit)/s"
        if let total, rate > 0, total > consumed {
            let left = UInt64(Double(total - consumed) / rate)
            text += "  ETA \(left / 60):\(left % 60 < 10 ? "0" : "")\(left % 60)"
        }
        write(isatty(STDERR_FILENO) == 1 ? "\r\u{1b}[K\(text)" : "\(text)\n")
        hasProgressLine = isatty(STDERR_FILENO) == 1
    }

    /// For a full synchronization; nil when none is shown.
    func replicationProgress() -> ((ReplicationSync.Progress) -> Void)? {
        guard showsProgress else { return nil }
        return { [self] progress in show(nil, progress.phase.rawValue, 0, progress.sentByteCount, progress.byteCount) }
    }

    func clearProgress() {
        guard hasProgressLine else { return }
        hasProgressLine = false
        write("\r\u{1b}[K")
    }

    private func write(_ text: String) { text.withRawSpan { write($0) } }

    private func write(_ bytes: RawSpan) {
        // Nothing is left to tell a failure of standard error to.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

extension InputError {
    /// What went wrong, without the path.
    var message: String {
        switch cause {
        case .system(let number): "cannot read: \(Diagnostics.systemMessage(number))"
        case .damaged(let code, let expected): "byte 0: \(code.words): expected \(expected)"
        case .interrupted: "interrupted"
        }
    }
}
