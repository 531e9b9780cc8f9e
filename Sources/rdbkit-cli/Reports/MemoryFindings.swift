import RDBKit

/// What stands out in a report of memory, in plain words, each with the command that shows more.
struct MemoryFindings {
    struct Finding {
        enum Level: String {
            case bad, warn, note, good
        }

        var level: Level
        var title: String
        var text: String
        var command: String?

        var json: JSONValue {
            .members(
                ("level", .text(level.rawValue)), ("title", .text(title)), ("text", .text(text)),
                ("command", command.map { .text($0) }))
        }
    }

    private let report: MemoryReport
    private let old: MemoryReport?
    /// The inputs as one would type them.
    private let inputs: String
    private(set) var findings: [Finding] = []

    init(_ report: MemoryReport, since old: MemoryReport?) {
        self.report = report
        self.old = old
        inputs = report.inputs.map { Self.quoted($0.name) }.joined(separator: " ")
        if report.total.keys == 0 {
            findings = [Finding(level: .note, title: "There are no keys", text: "The input holds nothing to report.")]
            return
        }
        addGrowth()
        addLargestKey()
        addLargestGroup()
        addElements()
        addTemporary()
        addExpiry()
        addEncodings()
        addIdle()
        addModel()
        addLimits()
        if !findings.contains(where: { $0.level == .bad || $0.level == .warn }) {
            findings.insert(
                Finding(
                    level: .good, title: "Nothing stands out",
                    text: "No key, prefix or setting takes more than it should by the rules of this report.",
                    command: "rdbkit memory \(inputs)"), at: 0)
        }
        let order: [Finding.Level] = [.bad, .warn, .good, .note]
        findings = order.flatMap { level in findings.filter { $0.level == level } }
    }

    private var total: AuditSum { report.total }
    private var audit: MemoryAudit { report.audit }

    private mutating func add(_ level: Finding.Level, _ title: String, _ text: String, _ command: String? = nil) {
        findings.append(Finding(level: level, title: title, text: text, command: command))
    }

    private func share(_ part: UInt64) -> Double { Double(part) / Double(max(1, total.bytes)) }
    private func words(_ part: UInt64) -> String { ReportText.share(part, of: total.bytes) }

    // MARK: - What takes the space

    private mutating func addLargestKey() {
        guard total.keys > 20, let key = audit.top(.memory).first, share(key.bytes) >= 0.05 else { return }
        add(
            share(key.bytes) >= 0.25 ? .bad : .warn,
            "One key takes \(words(key.bytes)) of the memory",
            "\(ReportText.key(key.key, isCut: key.isKeyCut)), a \(key.type.name) of \(counted(key.elements, "element")), "
                + "takes \(humanByteCount(key.bytes)). It lies on one server whatever the number of shards, and to delete, "
                + "move or save it takes long.",
            "rdbkit memory --key \(Self.glob(key.key, isOpen: key.isKeyCut, keepsStars: false)) \(inputs)")
    }

    private mutating func addLargestGroup() {
        guard let group = report.groups.first(where: { !$0.prefix.isEmpty }), group.sum.keys > 1,
            share(group.sum.bytes) >= 0.3
        else { return }
        add(
            .note, "\(MemoryReport.name(group)) takes \(words(group.sum.bytes)) of the memory",
            "\(counted(group.sum.keys, "key")), \(humanByteCount(group.sum.bytes / group.sum.keys)) each on average. What is "
                + "saved there counts most.",
            "rdbkit memory --per-type --key \(Self.glob(group.prefix, isOpen: group.isOpen)) \(inputs)")
    }

    private mutating func addElements() {
        if let key = audit.top(.elements).first, key.elements >= 100_000, key.type != .string {
            add(
                .warn, "A \(key.type.name) has \(key.elements) elements",
                "\(ReportText.key(key.key, isCut: key.isKeyCut)): a command that goes through all of it blocks the server "
                    + "meanwhile.",
                "rdbkit memory --by elements --min-elements 100000 \(inputs)")
        }
        if let key = audit.top(.element).first, key.largestElementBytes >= 1 << 20 {
            add(
                .warn, "There are elements of \(humanByteCount(key.largestElementBytes))",
                "The largest is in \(ReportText.key(key.key, isCut: key.isKeyCut)). Each time one is read it goes through the "
                    + "buffers of a client and the network as a whole.",
                "rdbkit memory --by element \(inputs)")
        }
    }

    // MARK: - What need not be there

    private static let temporaryWords = ["cache", "session", "sess", "tmp", "temp", "token", "lock", "otp", "nonce"]

    private mutating func addTemporary() {
        let rows = audit.prefixes.rows(minBytes: total.bytes / 1000)
        let suspects = rows.filter { row in
            guard row.level == 1 || row.level == 2, row.sum.lasting * 10 >= row.sum.keys, row.sum.lasting > 0 else {
                return false
            }
            let parts = String(decoding: row.prefix, as: UTF8.self).lowercased().split {
                !$0.isLetter
            }
            return parts.contains { part in Self.temporaryWords.contains { part == $0 || part == "\($0)s" } }
        }
        guard let worst = suspects.max(by: { $0.sum.bytes < $1.sum.bytes }) else { return }
        add(
            share(worst.sum.bytes) >= 0.1 ? .bad : .warn,
            "\(ReportText.key(worst.prefix))… sounds temporary, but "
                + "\(ReportText.share(worst.sum.lasting, of: worst.sum.keys)) never expire",
            "\(counted(worst.sum.lasting, "key")) of \(worst.sum.keys) there have no expiry. They stay until somebody "
                + "deletes them.",
            "rdbkit keys --expires none --key \(Self.glob(worst.prefix, isOpen: true)) \(inputs)")
    }

    private mutating func addExpiry() {
        if audit.expiredShare >= 0.01 {
            add(
                audit.expiredShare >= 0.1 ? .warn : .note,
                "\(ReportText.share(audit.expiredShare)) of the keys are expired and still there",
                "\(counted(audit.expired.keys, "key")), \(humanByteCount(audit.expired.bytes)). A server removes them as it "
                    + "comes across them; many of them mean that it does not keep up, or that the snapshot is old.",
                "rdbkit memory --expires past \(inputs)")
        }
        let hour = audit.timesToLive.rows.filter { $0.upper < 4096 }.reduce(into: AuditSum()) { $0 += $1.sum }
        if share(hour.bytes) >= 0.25, hour.keys > 100 {
            add(
                .note, "\(words(hour.bytes)) of the memory expires within about an hour",
                "\(counted(hour.keys, "key")) end soon after the snapshot: much of it need not be restored.",
                "rdbkit memory --expires future --expires-before +1h \(inputs)")
        }
        if audit.lastingShare >= 0.5, total.lasting > 0 {
            add(
                .note, "\(ReportText.share(audit.lastingShare)) of the keys never expire",
                "With an eviction policy of the volatile kind only the others can make room.",
                "rdbkit memory --expires none \(inputs)")
        }
    }

    private mutating func addIdle() {
        guard audit.withIdleTime > 0 else { return }
        // 2^21 seconds are 24 days.
        let idle = audit.idleTimes.rows.filter { $0.lower >= 1 << 21 }.reduce(into: AuditSum()) { $0 += $1.sum }
        guard share(idle.bytes) >= 0.05 else { return }
        add(
            .warn, "\(words(idle.bytes)) of the memory was not used for 24 days or more",
            "\(counted(idle.keys, "key")), \(humanByteCount(idle.bytes)). Candidates for an expiry or for another store.",
            "rdbkit memory --all \(inputs)")
    }

    // MARK: - Settings

    private mutating func addEncodings() {
        guard let row = audit.misses.rows.first, row.savedBytes > 0, share(row.savedBytes) >= 0.01 else { return }
        let advice = report.advice(row)
        let options = advice.map { "--config \($0.name)=\($0.value)" }.joined(separator: " ")
        add(
            share(row.savedBytes) >= 0.1 ? .warn : .note,
            "\(words(row.savedBytes)) of the memory could be saved by a setting",
            "\(counted(row.keys, row.type.name)) just missed the compact form. With "
                + advice.map { "\($0.name) \($0.value)" }.joined(separator: " and ")
                + " they would take \(humanByteCount(row.savedBytes)) less, for some more time on each access.",
            "rdbkit memory --type \(row.type.name) \(options) \(inputs)")
    }

    private mutating func addModel() {
        for input in report.inputs {
            guard let used = input.usedMemory, let deviation = MemoryReport.deviation(input), abs(deviation) >= 0.1,
                report.isWhole
            else { continue }
            add(
                .note,
                "\(Self.shownName(input.name)): the server used \(humanByteCount(used)) when it wrote the file, the model "
                    + "says \(humanByteCount(input.dataset.serverBytes))",
                deviation < 0
                    ? "What is missing was taken by buffers of clients and replication, scripts, tables that had grown, or "
                        + "by other limits than the defaults; --config tells the model of those."
                    : "The server may keep values more compactly than the defaults would; --config tells the model its "
                        + "limits.",
                "rdbkit info \(Self.quoted(input.name))")
        }
    }

    private mutating func addLimits() {
        if audit.opaqueKeys > 0 {
            add(
                .note, "\(counted(audit.opaqueKeys, "key")) of types that the model does not know",
                "They are counted with the bytes that they take in the file.", "rdbkit info \(inputs)")
        }
    }

    // MARK: - Growth

    private mutating func addGrowth() {
        guard let old else { return }
        let change = Double(total.bytes) - Double(old.total.bytes)
        let factor = old.total.bytes == 0 ? 0 : change / Double(old.total.bytes)
        let amount = humanByteCount(UInt64(abs(change)))
        if change == 0 {
            add(.good, "The memory did not grow", "It is \(humanByteCount(total.bytes)) in both.")
            return
        }
        let oldInputs = old.inputs.map { Self.quoted($0.name) }.joined(separator: " ")
        let isPair = old.inputs.count == 1 && report.inputs.count == 1
        add(
            factor >= 0.5 ? .bad : factor >= 0.1 ? .warn : .note,
            "The memory \(change > 0 ? "grew" : "shrank") by \(amount)\(old.total.bytes == 0 ? "" : ", \(ReportText.share(abs(factor)))")",
            "From \(humanByteCount(old.total.bytes)) in \(counted(old.total.keys, "key")) to "
                + "\(humanByteCount(total.bytes)) in \(counted(total.keys, "key")).",
            isPair ? "rdbkit memory \(oldInputs); rdbkit memory \(inputs)" : nil)
        let before = Dictionary(
            old.audit.prefixes.rows().map { ($0.prefix, $0.sum) }, uniquingKeysWith: { first, _ in first })
        // The longest prefix that has most of the growth of the one before.
        var grown: (row: PrefixTree.Row, growth: Double)?
        for row in audit.prefixes.rows(minBytes: total.bytes / 1000) {
            let growth = Double(row.sum.bytes) - Double(before[row.prefix]?.bytes ?? 0)
            guard growth > 0 else { continue }
            let isBelow = grown.map { row.prefix.starts(with: $0.row.prefix) } ?? false
            if isBelow ? growth >= (grown?.growth ?? 0) * 0.8 : growth > grown?.growth ?? 0 { grown = (row, growth) }
        }
        guard let grown, change > 0, grown.growth >= Double(total.bytes) * 0.01 else { return }
        let isNew = before[grown.row.prefix] == nil
        let name = ReportText.key(grown.row.prefix) + (grown.row.hasMore ? "…" : "")
        add(
            .warn, "\(name) \(isNew ? "is new and takes" : "grew by") \(humanByteCount(UInt64(grown.growth)))",
            "It has \(counted(grown.row.sum.keys, "key")) now"
                + (isNew ? "." : ", \(before[grown.row.prefix]?.keys ?? 0) before."),
            "rdbkit memory --key \(Self.glob(grown.row.prefix, isOpen: grown.row.hasMore)) \(inputs)")
    }

    // MARK: - Commands

    /// A glob that matches the keys of a prefix, quoted for a shell.
    static func glob(_ prefix: [UInt8], isOpen: Bool, keepsStars: Bool = true) -> String {
        var pattern: [UInt8] = []
        for byte in prefix {
            switch byte {
            case UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\\"):
                pattern += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "*") where !keepsStars: pattern += [UInt8(ascii: "\\"), byte]
            // What a terminal does not take as it is may be any byte.
            case 0..<0x20, 0x7f...: if pattern.last != UInt8(ascii: "*") { pattern.append(UInt8(ascii: "*")) }
            default: pattern.append(byte)
            }
        }
        if isOpen, pattern.last != UInt8(ascii: "*") { pattern.append(UInt8(ascii: "*")) }
        return quoted(String(decoding: pattern, as: UTF8.self))
    }

    /// A word as a shell takes it.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "/"),
                    UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "+"):
                    true
                default: false
                }
            }
        if isPlain { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func shownName(_ name: String) -> String { ReportText.escaped(Array(name.utf8)) }
}
