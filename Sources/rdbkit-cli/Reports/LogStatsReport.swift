import RDBKit

/// What `aof stats` tells of one log.
struct LogStatsReport {
    let input: AOFInput
    let outcomes: [AOFFileOutcome]
    let statistics: LogStatistics
    /// Rows of prefixes, keys and largest commands.
    let maxRows: Int

    private var transactionCount: UInt64 { outcomes.reduce(0) { $0 + $1.transactionCount } }
    private var byteCount: UInt64 { outcomes.reduce(0) { $0 + $1.byteCount } }

    private var commands: [(name: String, tally: LogStatistics.Tally)] {
        statistics.commands.map { (name: $0.key.description, tally: $0.value) }.sorted {
            $0.tally.count != $1.tally.count ? $0.tally.count > $1.tally.count : $0.name < $1.name
        }
    }

    private var databases: [(number: UInt64, tally: LogStatistics.Tally)] {
        statistics.databases.map { (number: $0.key, tally: $0.value) }.sorted { $0.number < $1.number }
    }

    private var keys: [HeavyHitters.Key] { statistics.keys.top(maxRows) }

    /// The most by which any count of a key may be too high.
    private var maxError: UInt64 { statistics.keys.total / UInt64(statistics.keys.capacity) }

    // MARK: - For people

    var text: String {
        var text = "\(input.path)\n"
        func line(_ name: String, _ value: String) {
            text += "  \(name):" + String(repeating: " ", count: max(1, 14 - name.count)) + value + "\n"
        }
        if input.manifest != nil { line("files", "\(outcomes.count)") }
        line("commands", "\(statistics.total.count)")
        line("transactions", "\(transactionCount)")
        line("command bytes", bytes(statistics.total.byteCount))
        line("size", bytes(byteCount))
        if let first = statistics.firstTime, let last = statistics.lastTime {
            line("times", "from \(CivilTime.text(seconds: first)) to \(CivilTime.text(seconds: last))")
        }
        if statistics.unknownCount > 0 {
            line("unknown", "\(counted(statistics.unknownCount, "command")) without known keys")
        }
        if statistics.total.count == 0 { return text }
        text += "\n" + commandTable.text
        if databases.count > 1 { text += "\n" + databaseTable.text }
        if statistics.keys.total > 0 { text += "\n" + prefixTable.text + "\n" + keyTable.text }
        if maxRows > 0 { text += "\n" + largestTable.text }
        if !statistics.times.rows.isEmpty { text += "\n" + timeTable.text }
        return text
    }

    private func bytes(_ count: UInt64) -> String {
        count < 1024 ? "\(count) bytes" : "\(humanByteCount(count)) (\(count) bytes)"
    }

    private var commandTable: TextTable {
        tallyTable(["command", "count"], commands, others: statistics.otherCommands)
    }

    private var databaseTable: TextTable {
        tallyTable(
            ["db", "commands"], databases.map { (name: String($0.number), tally: $0.tally) },
            others: statistics.otherDatabases)
    }

    /// - Parameter headers: of the name and the number.
    private func tallyTable(
        _ headers: [String], _ rows: [(name: String, tally: LogStatistics.Tally)], others: LogStatistics.Tally
    ) -> TextTable {
        var table = TextTable(headers + ["share", "bytes", "share"])
        for (name, tally) in rows + (others.count > 0 ? [(name: "(others)", tally: others)] : []) {
            table.add(
                name, String(tally.count), countShare(tally.count), String(tally.byteCount), byteShare(tally.byteCount))
        }
        return table
    }

    private var prefixTable: TextTable {
        var table = TextTable(["prefix", "writes", "share", "bytes", "share"])
        func add(_ name: String, _ row: PrefixTally.Row) {
            table.add(
                name, String(row.count), share(row.count, of: statistics.keys.total), String(row.byteCount),
                byteShare(row.byteCount))
        }
        let rows = statistics.prefixes.sorted
        for row in rows.prefix(maxRows) { add(row.prefix.isEmpty ? "(none)" : keyText(row.prefix), row) }
        var rest = statistics.prefixes.others
        for row in rows.dropFirst(maxRows) {
            rest.count += row.count
            rest.byteCount += row.byteCount
        }
        if rest.count > 0 { add("(others)", rest) }
        return table
    }

    private var keyTable: TextTable {
        var table = TextTable(["hottest key", "db", "writes", "at least", "share"])
        for key in keys {
            table.add(
                keyText(key.bytes) + (key.byteCount > UInt64(key.bytes.count) ? "…" : ""), String(key.database),
                String(key.count), String(key.count - key.error), share(key.count, of: statistics.keys.total))
        }
        return table
    }

    private var largestTable: TextTable {
        var table = TextTable(["largest command", "bytes", "arguments", "db", "offset", "key"])
        for command in statistics.largest {
            let place = input.manifest == nil ? "" : "\(command.fileName):"
            table.add(
                command.name, String(command.record.byteCount), String(command.argumentCount),
                String(command.record.database), place + String(command.record.offset),
                command.key.map { keyText($0) } ?? "")
        }
        return table
    }

    private var timeTable: TextTable {
        var table = TextTable(["from (\(statistics.times.length) s each)", "commands", "bytes"])
        for row in statistics.times.rows {
            table.add(CivilTime.text(seconds: row.start), String(row.count), String(row.byteCount))
        }
        return table
    }

    private func countShare(_ count: UInt64) -> String { share(count, of: statistics.total.count) }
    private func byteShare(_ count: UInt64) -> String { share(count, of: statistics.total.byteCount) }

    private func share(_ part: UInt64, of whole: UInt64) -> String {
        let thousandths = whole == 0 ? 0 : UInt64((Double(part) * 1000 / Double(whole)).rounded())
        return "\(thousandths / 10).\(thousandths % 10) %"
    }

    /// As JSON writes it, without the quotes where nothing is lost by that.
    private func keyText(_ key: [UInt8]) -> String {
        var out = OutputBuffer(capacity: 256)
        JSONValue.bytes(key).append(to: &out)
        let text = String(decoding: out.bytes.array, as: UTF8.self)
        let bare = String(text.dropFirst().dropLast())
        return bare.utf8.elementsEqual(key) && !bare.contains(" ") ? bare : text
    }

    // MARK: - For machines

    var json: JSONValue {
        .members(
            ("input", .text(input.path)), ("files", .unsigned(UInt64(outcomes.count))),
            ("size_bytes", .unsigned(byteCount)), ("commands", .unsigned(statistics.total.count)),
            ("command_bytes", .unsigned(statistics.total.byteCount)), ("transactions", .unsigned(transactionCount)),
            ("unknown_commands", .unsigned(statistics.unknownCount)),
            ("first_time", statistics.firstTime.map { .integer($0) }),
            ("last_time", statistics.lastTime.map { .integer($0) }),
            ("by_command", .array(commands.map { row("command", .text($0.name), $0.tally.count, $0.tally.byteCount) })),
            ("other_commands", others(statistics.otherCommands.count, statistics.otherCommands.byteCount)),
            ("by_db", .array(databases.map { row("db", .unsigned($0.number), $0.tally.count, $0.tally.byteCount) })),
            ("other_dbs", others(statistics.otherDatabases.count, statistics.otherDatabases.byteCount)),
            ("key_writes", .unsigned(statistics.keys.total)),
            (
                "by_prefix",
                .array(
                    statistics.prefixes.sorted.prefix(maxRows).map {
                        row("prefix", .bytes($0.prefix), $0.count, $0.byteCount)
                    })
            ),
            (
                "hottest_keys",
                .array(
                    keys.map {
                        .members(
                            ("db", .unsigned($0.database)), ("key", .bytes($0.bytes)),
                            ("key_bytes", .unsigned($0.byteCount)), ("count", .unsigned($0.count)),
                            ("at_least", .unsigned($0.count - $0.error)))
                    })
            ),
            ("hottest_keys_max_error", .unsigned(maxError)),
            (
                "largest_commands",
                .array(
                    statistics.largest.map {
                        .members(
                            ("file", .text($0.fileName)), ("offset", .unsigned($0.record.offset)),
                            ("db", .unsigned($0.record.database)), ("command", .text($0.name)),
                            ("key", $0.key.map { .bytes($0) }), ("arguments", .unsigned(UInt64($0.argumentCount))),
                            ("bytes", .unsigned($0.record.byteCount)))
                    })
            ),
            ("span_seconds", statistics.times.rows.isEmpty ? nil : .integer(statistics.times.length)),
            (
                "over_time",
                statistics.times.rows.isEmpty
                    ? nil
                    : .array(
                        statistics.times.rows.map {
                            row("from", .integer($0.start), $0.count, $0.byteCount)
                        })
            ))
    }

    private func row(_ name: String, _ value: JSONValue, _ count: UInt64, _ bytes: UInt64) -> JSONValue {
        .members((name, value), ("count", .unsigned(count)), ("bytes", .unsigned(bytes)))
    }

    private func others(_ count: UInt64, _ bytes: UInt64) -> JSONValue? {
        count == 0 ? nil : .members(("count", .unsigned(count)), ("bytes", .unsigned(bytes)))
    }

    static let csvHead = "input,section,name,db,file,offset,count,at_least,bytes\n"

    var csv: String {
        var text = ""
        func add(
            _ section: String, _ name: String, db: UInt64? = nil, file: String = "", offset: UInt64? = nil,
            count: UInt64? = nil, atLeast: UInt64? = nil, bytes: UInt64?
        ) {
            let cells = [
                input.path, section, name, db.map { String($0) } ?? "", file, offset.map { String($0) } ?? "",
                count.map { String($0) } ?? "", atLeast.map { String($0) } ?? "", bytes.map { String($0) } ?? "",
            ]
            text += cells.map { CheckReport.csvCell($0) }.joined(separator: ",") + "\n"
        }
        add("total", "", count: statistics.total.count, bytes: statistics.total.byteCount)
        for (name, tally) in commands { add("command", name, count: tally.count, bytes: tally.byteCount) }
        for (number, tally) in databases { add("db", "", db: number, count: tally.count, bytes: tally.byteCount) }
        for row in statistics.prefixes.sorted.prefix(maxRows) {
            add("prefix", CheckReport.jsonText(row.prefix), count: row.count, bytes: row.byteCount)
        }
        for key in keys {
            add(
                "key", CheckReport.jsonText(key.bytes), db: key.database, count: key.count,
                atLeast: key.count - key.error, bytes: nil)
        }
        for command in statistics.largest {
            add(
                "largest", command.name, db: command.record.database, file: command.fileName,
                offset: command.record.offset, bytes: command.record.byteCount)
        }
        for row in statistics.times.rows { add("time", String(row.start), count: row.count, bytes: row.byteCount) }
        return text
    }
}
