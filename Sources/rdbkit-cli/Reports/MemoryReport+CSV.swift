import RDBKit

// For machines: one table, with a section in each line.
extension MemoryReport {
    static let csvHead =
        "section,name,db,type,encoding,keys,size_in_bytes,serialized_bytes,num_elements,len_largest_element,"
        + "no_expiry_keys,expired_keys,error_bytes,from,to,expiry,input\n"

    private struct Line {
        var section: String
        var name = ""
        var db: UInt64?
        var type = ""
        var encoding = ""
        var keys: UInt64?
        var bytes: UInt64?
        var serialized: UInt64?
        var elements: UInt64?
        var largest: UInt64?
        var lasting: UInt64?
        var expired: UInt64?
        var error: UInt64?
        var from: UInt64?
        var to: UInt64?
        var expiry = ""
        var input = ""

        init(_ section: String, _ name: String = "", _ sum: AuditSum? = nil) {
            self.section = section
            self.name = name
            if let sum {
                keys = sum.keys
                bytes = sum.bytes
                serialized = sum.serializedBytes
                lasting = sum.lasting
            }
        }

        var text: String {
            func number(_ value: UInt64?) -> String { value.map { String($0) } ?? "" }
            let cells = [
                section, name, number(db), type, encoding, number(keys), number(bytes), number(serialized),
                number(elements), number(largest), number(lasting), number(expired), number(error), number(from),
                number(to), expiry, input,
            ]
            return cells.map { CheckReport.csvCell($0) }.joined(separator: ",") + "\n"
        }
    }

    var csv: String {
        var text = Self.csvHead
        func add(_ line: Line) { text += line.text }
        for input in inputs {
            var line = Line("input", input.name)
            line.type = input.model.server.name
            line.keys = input.dataset.keyCount
            line.bytes = input.dataset.entryBytes
            add(line)
        }
        var all = Line("total", "", total)
        all.elements = audit.elements
        all.expired = audit.expired.keys
        add(all)
        add(with(Line("server")) { $0.bytes = serverBytes })
        for (type, _, encodings) in audit.byType {
            for (encoding, sum) in encodings {
                add(
                    with(Line("encoding", "", sum)) {
                        $0.type = type.name
                        $0.encoding = encoding.name
                    })
            }
        }
        for (number, database) in audit.databases.sorted(by: { $0.key < $1.key }) {
            add(
                with(Line("db", "", database.sum)) {
                    $0.db = number
                    $0.expired = database.expired
                })
        }
        if audit.otherDatabases.sum.keys > 0 { add(Line("db", "others", audit.otherDatabases.sum)) }
        for group in groups {
            add(
                with(Line(group.isRest ? "prefix_rest" : "prefix", ReportText.escaped(group.prefix), group.sum)) {
                    $0.error = group.error
                })
        }
        for measure in audit.settings.measures {
            if audit.settings.ranksTypes {
                for (type, _, _) in audit.byType {
                    for entry in audit.top(measure, type: type) {
                        add(line("\(type.name)_by_\(measure.rawValue)", entry))
                    }
                }
            } else {
                for entry in audit.top(measure) { add(line("key_by_\(measure.rawValue)", entry)) }
            }
        }
        for (name, histogram) in [
            ("memory", audit.sizes), ("elements", audit.elementCounts), ("ttl_seconds", audit.timesToLive),
            ("idle_seconds", audit.idleTimes),
        ] {
            for row in histogram.rows {
                add(
                    with(Line("histogram", name, row.sum)) {
                        $0.from = row.lower
                        $0.to = row.upper
                    })
            }
        }
        for row in audit.misses.rows {
            add(
                with(Line("missed_encoding", advice(row).map { "\($0.name) \($0.value)" }.joined(separator: " "))) {
                    $0.type = row.type.name
                    $0.keys = row.keys
                    $0.bytes = row.bytes
                    $0.to = row.compactBytes
                })
        }
        if let slots = audit.slots?.slots {
            for (slot, sum) in slots.enumerated() where sum.keys > 0 { add(Line("slot", String(slot), sum)) }
        }
        for (number, shard) in shards.enumerated() {
            add(
                with(Line("shard", String(number + 1), shard.sum)) {
                    $0.from = UInt64(shard.slots.lowerBound)
                    $0.to = UInt64(shard.slots.upperBound)
                })
        }
        for result in conditions {
            add(with(Line(result.fails ? "failed" : "passed", result.condition.text)) { $0.keys = result.keys })
            for entry in result.offenders { add(line("offender", entry)) }
        }
        return text
    }

    private func with(_ line: Line, _ change: (inout Line) -> Void) -> Line {
        var line = line
        change(&line)
        return line
    }

    private func line(_ section: String, _ entry: AuditEntry) -> Line {
        with(Line(section, ReportText.escaped(entry.key))) {
            $0.db = entry.database
            $0.type = entry.type.name
            $0.encoding = entry.encoding.name
            $0.keys = 1
            $0.bytes = entry.bytes
            $0.serialized = entry.serializedBytes
            $0.elements = entry.elements
            $0.largest = entry.largestElementBytes
            $0.expiry = entry.expiresAt.map { CivilTime.text(milliseconds: $0) } ?? ""
            $0.input = inputs.count > 1 ? inputs[entry.input].name : ""
        }
    }
}
