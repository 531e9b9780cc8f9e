import RDBKit

// For people.
extension MemoryReport {
    var text: String {
        var text = head
        if total.keys == 0 { return text + conditionText }
        text += "\n" + typeTable.text
        if audit.databases.count > 1 || audit.otherDatabases.sum.keys > 0 { text += "\n" + databaseTable.text }
        if !groups.isEmpty { text += "\n" + prefixTable.text + prefixError }
        text += rankingText
        text += "\n" + histogram("memory", audit.sizes) { humanByteCount($0) }
        text += "\n" + histogram("elements", audit.elementCounts) { String($0) }
        if !audit.timesToLive.isEmpty {
            text += "\n" + histogram("time to live", audit.timesToLive) { ReportText.duration($0) }
        }
        if !audit.idleTimes.isEmpty {
            text += "\n" + histogram("idle time", audit.idleTimes) { ReportText.duration($0) }
        }
        if !audit.misses.rows.isEmpty { text += "\n" + missTable }
        if audit.slots != nil { text += "\n" + slotText }
        return text + conditionText
    }

    // MARK: - Head

    private var head: String {
        var text = ""
        func line(_ name: String, _ value: String) {
            text += "  \(name):" + String(repeating: " ", count: max(1, 16 - name.count)) + value + "\n"
        }
        func bytes(_ count: UInt64) -> String {
            count < 1024 ? "\(count) bytes" : "\(humanByteCount(count)) (\(count) bytes)"
        }
        for input in inputs {
            text += "\(input.name)\n"
            if let writer = input.writer { line("writer", writer) }
            line("model", "\(input.model.server.name), \(input.model.allocator.name)")
            if isWhole, let used = input.usedMemory, let deviation = Self.deviation(input) {
                let words =
                    abs(deviation) < 0.0005
                    ? "as the model says"
                    : "the model says \(ReportText.share(abs(deviation))) \(deviation < 0 ? "less" : "more")"
                line("used memory", "\(bytes(used)) when it was written; \(words)")
            }
        }
        if inputs.count > 1 { text += "all inputs\n" }
        line("keys", String(total.keys))
        line("memory", "\(bytes(total.bytes)) for keys and values")
        line("data set", "\(bytes(usedBytes)) with all tables; \(humanByteCount(serverBytes)) in a server")
        line("serialized", bytes(total.serializedBytes))
        line(
            "without expiry",
            "\(counted(total.lasting, "key")) (\(ReportText.share(audit.lastingShare)))")
        line(
            "expired",
            "\(counted(audit.expired.keys, "key")) (\(ReportText.share(audit.expiredShare))), "
                + humanByteCount(audit.expired.bytes))
        if audit.expiringFields > 0 { line("expiring fields", String(audit.expiringFields)) }
        if audit.opaqueKeys > 0 {
            line("unknown", "\(counted(audit.opaqueKeys, "key")) of types that the model does not know")
        }
        return text
    }

    // MARK: - Sums

    private func cells(_ sum: AuditSum) -> [String] {
        [
            String(sum.keys), String(sum.bytes), ReportText.share(sum.bytes, of: total.bytes),
            String(sum.bytes / max(1, sum.keys)), String(sum.serializedBytes),
        ]
    }

    private static let sumHeaders = ["keys", "bytes", "share", "average", "serialized"]

    private var typeTable: TextTable {
        var table = TextTable(["type", "encoding"] + Self.sumHeaders)
        for (type, sum, encodings) in audit.byType {
            for (encoding, part) in encodings { table.add([type.name, encoding.name] + cells(part)) }
            if encodings.count > 1 { table.add([type.name, "(all)"] + cells(sum)) }
        }
        return table
    }

    private var databaseTable: TextTable {
        var table = TextTable(["db"] + Self.sumHeaders + ["expired"])
        for (number, database) in audit.databases.sorted(by: { $0.key < $1.key }) {
            table.add([String(number)] + cells(database.sum) + [String(database.expired)])
        }
        if audit.otherDatabases.sum.keys > 0 {
            table.add(["(others)"] + cells(audit.otherDatabases.sum) + [String(audit.otherDatabases.expired)])
        }
        return table
    }

    private var prefixTable: TextTable {
        var table = TextTable(["prefix"] + Self.sumHeaders + ["no expiry"])
        for group in groups {
            table.add(
                [Self.name(group)] + cells(group.sum) + [ReportText.share(group.sum.lasting, of: group.sum.keys)])
        }
        return table
    }

    private var prefixError: String {
        let error = audit.prefixes.maxError
        if error == 0 { return "" }
        return
            "Too many prefixes to keep each: small ones are put together under *. A prefix may lack up to "
            + "\(humanByteCount(error)) (\(ReportText.share(error, of: total.bytes))).\n"
    }

    // MARK: - Rankings

    private var rankingText: String {
        var text = ""
        func add(_ title: String, _ entries: [AuditEntry]) {
            if entries.isEmpty { return }
            var headers = [title, "db", "type", "encoding", "bytes", "serialized", "elements", "largest"]
            let hasExpiry = entries.contains { $0.expiresAt != nil }
            if hasExpiry { headers.append("expires") }
            if inputs.count > 1 { headers.append("input") }
            var table = TextTable(headers)
            for entry in entries {
                var cells = [
                    ReportText.key(entry.key, isCut: entry.isKeyCut), String(entry.database), entry.type.name,
                    entry.encoding.name, String(entry.bytes), String(entry.serializedBytes), String(entry.elements),
                    String(entry.largestElementBytes),
                ]
                if hasExpiry { cells.append(entry.expiresAt.map { CivilTime.text(milliseconds: $0) } ?? "") }
                if inputs.count > 1 { cells.append(inputs[entry.input].name) }
                table.add(cells)
            }
            text += "\n" + table.text
        }
        for measure in audit.settings.measures {
            let by = "key by \(Self.words(measure))"
            if audit.settings.ranksTypes {
                for (type, _, _) in audit.byType { add("\(type.name) \(by)", audit.top(measure, type: type)) }
            } else {
                add(by, audit.top(measure))
            }
        }
        return text
    }

    // MARK: - Histograms

    private func histogram(_ name: String, _ histogram: LogHistogram, _ words: (UInt64) -> String) -> String {
        let rows = histogram.rows
        let most = rows.map(\.sum.keys).max() ?? 0
        var table = TextTable(["\(name) up to", "keys", "share", "bytes", ""])
        for row in rows {
            let width = most == 0 ? 0 : Int((Double(row.sum.keys) * 30 / Double(most)).rounded(.up))
            table.add([
                words(row.upper), String(row.sum.keys), ReportText.share(row.sum.keys, of: total.keys),
                String(row.sum.bytes), String(repeating: "#", count: width),
            ])
        }
        return table.text
    }

    // MARK: - Encodings

    private var missTable: String {
        var table = TextTable(["just missed the compact form", "keys", "bytes", "compact", "saves", "by setting"])
        for row in audit.misses.rows {
            let what =
                switch row.cause {
                case .entries: "more elements than the limit"
                case .value: "an element longer than the limit"
                case .both: "both"
                }
            table.add([
                "\(row.type.name): \(what)", String(row.keys), String(row.bytes), String(row.compactBytes),
                String(row.savedBytes), advice(row).map { "\($0.name) \($0.value)" }.joined(separator: ", "),
            ])
        }
        return table.text
    }

    // MARK: - Slots

    private var slotText: String {
        guard let slots = audit.slots?.slots else { return "" }
        var text = ""
        let largest = slots.indices.filter { slots[$0].keys > 0 }.sorted {
            slots[$0].bytes != slots[$1].bytes ? slots[$0].bytes > slots[$1].bytes : $0 < $1
        }
        var table = TextTable(["slot"] + Self.sumHeaders)
        for slot in largest.prefix(maxRows) { table.add([String(slot)] + cells(slots[slot])) }
        text += table.text
        if shards.isEmpty { return text }
        var shardTable = TextTable(["shard", "slots"] + Self.sumHeaders)
        for (number, shard) in shards.enumerated() {
            shardTable.add(
                [String(number + 1), "\(shard.slots.lowerBound)-\(shard.slots.upperBound)"] + cells(shard.sum))
        }
        return text + "\n" + shardTable.text
    }

    // MARK: - Conditions

    private var conditionText: String {
        if conditions.isEmpty { return "" }
        var text = "\n"
        for result in conditions {
            guard result.fails else {
                text += "passed: \(result.condition.text)\n"
                continue
            }
            text += "FAILED: \(Self.sentence(result))\n"
            for entry in result.offenders {
                text +=
                    "  \(ReportText.key(entry.key, isCut: entry.isKeyCut)) in db \(entry.database): \(entry.type.name), "
                    + "\(humanByteCount(entry.bytes)), \(counted(entry.elements, "element"))\n"
            }
            if result.keys > UInt64(result.offenders.count) {
                text += "  and \(result.keys - UInt64(result.offenders.count)) more\n"
            }
        }
        return text
    }
}
