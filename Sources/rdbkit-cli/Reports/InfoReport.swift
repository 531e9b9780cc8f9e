import RDBKit

/// What `info` tells of one input.
struct InfoReport {
    let path: String
    let version: RDBVersion
    let consumer: SummaryConsumer
    let end: RDBEnd?
    let fault: DecodeError?
    let byteCount: UInt64
    /// Of a log, what was done with it; all else is then of the state behind it, as an RDB.
    var log: LogStateInput.Result?

    private var summary: FileSummary { consumer.summary }

    private var checksum: ChecksumState { ChecksumState(end, fault) }

    private var writer: String? {
        if let version = summary.aux("valkey-ver") { return "Valkey \(version)" }
        return summary.aux("redis-ver").map { "Redis \($0)" }
    }

    private var databases: [(number: UInt64, content: FileSummary.Database)] {
        summary.databases.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func types(_ database: FileSummary.Database) -> [(type: ValueType, tally: FileSummary.Tally)] {
        ValueType.allCases.compactMap { type in database.types[type].map { (type, $0) } }
    }

    // MARK: - For people

    var text: String {
        var text = "\(path)\n"
        func line(_ name: String, _ value: String) {
            text += "  \(name):" + String(repeating: " ", count: max(1, 14 - name.count)) + value + "\n"
        }
        line("format", "\(version.magic)\(version.isKnown ? "" : " (newer than this release knows)")")
        line("writer", writer ?? "not stated")
        if let time = summary.aux("ctime").flatMap({ Int64($0) }) {
            line("created", CivilTime.text(seconds: time))
        }
        if let memory = summary.aux("used-mem").flatMap({ UInt64($0) }) { line("used memory", humanByteCount(memory)) }
        line("size", byteCount < 1024 ? "\(byteCount) bytes" : "\(humanByteCount(byteCount)) (\(byteCount) bytes)")
        if let log {
            line("log", logText(log))
        } else {
            line("checksum", checksum.words)
        }
        if let fault {
            line("incomplete", "reading ended at \(fault.place)")
        } else {
            // The sentence repeats the line's name, except where it says "not loadable".
            let sentence = consumer.compatibility.sentence
            line("loadable", sentence.hasPrefix("loadable ") ? String(sentence.dropFirst(9)) : sentence)
        }
        line("keys", "\(summary.keyCount)")
        line("key bytes", humanByteCount(summary.keyByteCount))
        line("value bytes", humanByteCount(summary.valueByteCount))
        line(
            "expiry",
            "\(summary.expiry.none) without, \(summary.expiry.future) to come, \(summary.expiry.past) past")
        if let earliest = summary.expiry.earliest, let latest = summary.expiry.latest {
            line("expires", "from \(CivilTime.text(milliseconds: earliest)) to \(CivilTime.text(milliseconds: latest))")
        }
        if summary.withIdleTime > 0 { line("idle times", "\(summary.withIdleTime) keys") }
        if summary.withFrequency > 0 { line("LFU counters", "\(summary.withFrequency) keys") }
        if let largest = summary.largestKey {
            let key = keyText(largest.key)
            line("largest value", "\(humanByteCount(largest.valueByteCount)) in db \(largest.database), key \(key)")
        }
        text += typeTable + encodingTable + sections
        return text
    }

    private func logText(_ log: LogStateInput.Result) -> String {
        let report = log.report
        var text = "\(counted(UInt64(log.outcomes.count), "file")), \(counted(report.appliedCount, "command")) applied"
        if report.refusedCount > 0 { text += ", \(report.refusedCount) without effect" }
        if report.notRunCount > 0 {
            text += ", \(report.notRunCount) not run (\(counted(UInt64(log.doubtfulKeys.count), "key")) doubtful)"
        }
        return text
    }

    private var typeTable: String {
        guard summary.keyCount > 0 else { return "" }
        var table = TextTable(["db", "type", "keys", "value bytes", "share"])
        for (number, database) in databases {
            for (type, tally) in Self.types(database) {
                table.add(String(number), type.name, String(tally.count), String(tally.valueByteCount), share(tally))
            }
        }
        for (type, tally) in Self.types(summary.unlistedDatabases) {
            table.add("others", type.name, String(tally.count), String(tally.valueByteCount), share(tally))
        }
        return "\n" + table.text
    }

    private var encodingTable: String {
        guard summary.keyCount > 0 else { return "" }
        var table = TextTable(["encoding", "keys", "value bytes", "share"])
        for (name, tally) in summary.encodings.sorted(by: { $0.key < $1.key }) {
            table.add(name, String(tally.count), String(tally.valueByteCount), share(tally))
        }
        return "\n" + table.text
    }

    private var sections: String {
        var text = ""
        if !summary.auxFields.isEmpty {
            text += "\naux fields\n"
            for (field, count) in summary.auxFields {
                text += "  \(field.name.text) = \(keyText(Array(field.value.bytes.prefix(200))))"
                text += count > 1 ? " (and \(count - 1) more)\n" : "\n"
            }
            if summary.unlistedAuxCount > 0 { text += "  and \(summary.unlistedAuxCount) more\n" }
        }
        if !summary.functions.isEmpty {
            text += "\nfunction libraries\n"
            for library in summary.functions {
                text += "  \(library.name) (\(library.engine), \(humanByteCount(library.code.byteCount)))\n"
            }
            if summary.unlistedFunctionCount > 0 { text += "  and \(summary.unlistedFunctionCount) more\n" }
        }
        if !summary.moduleAuxes.isEmpty {
            text += "\nmodule data\n"
            for aux in summary.moduleAuxes {
                text += "  \(aux.module) (\(aux.when == 1 ? "before" : "after") the keys)\n"
            }
            if summary.unlistedModuleAuxCount > 0 { text += "  and \(summary.unlistedModuleAuxCount) more\n" }
        }
        if summary.hashTemplateCount > 0 { text += "\nhash templates: \(summary.hashTemplateCount)\n" }
        if summary.slotInfoCount > 0 { text += "\nslots with keys: \(summary.slotInfoCount)\n" }
        return text
    }

    private func share(_ tally: FileSummary.Tally) -> String {
        let thousandths = summary.valueByteCount == 0 ? 0 : tally.valueByteCount * 1000 / summary.valueByteCount
        return "\(thousandths / 10).\(thousandths % 10) %"
    }

    private func keyText(_ key: [UInt8]) -> String {
        var out = OutputBuffer(capacity: 256)
        JSONValue.bytes(key.count > 200 ? Array(key.prefix(200)) : key).append(to: &out)
        return String(decoding: out.bytes.array, as: UTF8.self)
    }

    // MARK: - For machines

    var json: JSONValue {
        .members(
            ("input", .text(path)), ("rdb_version", .integer(Int64(version.number))),
            ("family", .text(version.family.rawValue)), ("magic", .text(version.magic)),
            ("known", .bool(version.isKnown)), ("writer", writer.map { .text($0) }),
            ("size_bytes", .unsigned(byteCount)), ("whole", .bool(end != nil)),
            ("log", log.map { logJSON($0) }), ("checksum", log == nil ? .text(checksum.rawValue) : nil),
            ("loadable", fault == nil ? consumer.compatibility.json : nil),
            ("keys", .unsigned(summary.keyCount)), ("key_bytes", .unsigned(summary.keyByteCount)),
            ("value_bytes", .unsigned(summary.valueByteCount)), ("expiry", expiryJSON),
            ("idle_time_keys", .unsigned(summary.withIdleTime)),
            ("lfu_frequency_keys", .unsigned(summary.withFrequency)), ("largest_value", largestJSON),
            ("databases", .array(databases.map { databaseJSON($0.number, $0.content) })),
            (
                "encodings",
                .array(
                    summary.encodings.sorted { $0.key < $1.key }.map { name, tally in
                        let words = name.split(separator: " ").map { String($0) }
                        return .members(
                            ("type", .text(words[0])), ("encoding", .text(words[1])), ("keys", .unsigned(tally.count)),
                            ("value_bytes", .unsigned(tally.valueByteCount)))
                    })
            ),
            ("aux", .object(summary.auxFields.map { (name: $0.field.name.text, value: .bytes($0.field.value.bytes)) })),
            (
                "functions",
                .array(
                    summary.functions.map {
                        .members(
                            ("name", .text($0.name)), ("engine", .text($0.engine)),
                            ("code_bytes", .unsigned($0.code.byteCount)))
                    })
            ),
            (
                "module_aux",
                .array(
                    summary.moduleAuxes.map {
                        .members(
                            ("module", .text($0.module.name)),
                            ("encoding_version", .integer(Int64($0.module.encodingVersion))),
                            ("when", .unsigned($0.when)))
                    })
            ), ("hash_templates", .unsigned(summary.hashTemplateCount)),
            ("slot_infos", .unsigned(summary.slotInfoCount)), ("unlisted", unlistedJSON))
    }

    /// What a file has too much of to list; absent for all others.
    private var unlistedJSON: JSONValue? {
        let counts = [
            ("aux", summary.unlistedAuxCount), ("functions", summary.unlistedFunctionCount),
            ("module_aux", summary.unlistedModuleAuxCount), ("database_keys", summary.unlistedDatabases.keys),
        ].filter { $0.1 > 0 }
        return counts.isEmpty ? nil : .object(counts.map { (name: $0.0, value: .unsigned($0.1)) })
    }

    private func logJSON(_ log: LogStateInput.Result) -> JSONValue {
        .members(
            ("files", .unsigned(UInt64(log.outcomes.count))), ("commands_applied", .unsigned(log.report.appliedCount)),
            ("commands_without_effect", .unsigned(log.report.refusedCount)),
            ("commands_not_run", .unsigned(log.report.notRunCount)),
            ("doubtful_keys", .unsigned(UInt64(log.doubtfulKeys.count))))
    }

    private var expiryJSON: JSONValue {
        .members(
            ("none", .unsigned(summary.expiry.none)), ("past", .unsigned(summary.expiry.past)),
            ("future", .unsigned(summary.expiry.future)),
            ("earliest_ms", summary.expiry.earliest.map { .integer($0) }),
            ("latest_ms", summary.expiry.latest.map { .integer($0) }))
    }

    private var largestJSON: JSONValue? {
        summary.largestKey.map {
            .members(
                ("db", .unsigned($0.database)), ("key", .bytes($0.key)), ("value_bytes", .unsigned($0.valueByteCount)))
        }
    }

    private func databaseJSON(_ number: UInt64, _ database: FileSummary.Database) -> JSONValue {
        .members(
            ("db", .unsigned(number)), ("keys", .unsigned(database.keys)), ("expires", .unsigned(database.expires)),
            (
                "types",
                .array(
                    Self.types(database).map {
                        .members(
                            ("type", .text($0.type.name)), ("keys", .unsigned($0.tally.count)),
                            ("value_bytes", .unsigned($0.tally.valueByteCount)))
                    })
            ))
    }
}
