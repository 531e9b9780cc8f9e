import RDBKit

// Text exposition of Prometheus, as node_exporter's textfile collector takes it.
// Source: prometheus.io/docs/instrumenting/exposition_formats, text-based format, version 0.0.4.
extension MemoryReport {
    var prometheus: String {
        var text = ""
        func metric(
            _ name: String, _ help: String, type: String = "gauge", _ samples: [(labels: String, value: String)]
        ) {
            if samples.isEmpty { return }
            text += "# HELP rdbkit_\(name) \(help)\n# TYPE rdbkit_\(name) \(type)\n"
            for sample in samples { text += "rdbkit_\(name)\(sample.labels) \(sample.value)\n" }
        }
        func one(_ name: String, _ help: String, _ value: UInt64) { metric(name, help, [("", String(value))]) }

        one("keys", "Keys in the snapshot.", total.keys)
        one("memory_bytes", "Memory that keys and values take in a server, by the model.", total.bytes)
        one("server_memory_bytes", "used_memory of a server with the data set, by the model.", serverBytes)
        one("serialized_bytes", "Bytes of values in the file.", total.serializedBytes)
        one("elements", "Elements of all values.", audit.elements)
        one("keys_without_expiry", "Keys that never expire.", total.lasting)
        one("keys_expired", "Keys whose expiry is over.", audit.expired.keys)
        one("expired_memory_bytes", "Memory of keys whose expiry is over.", audit.expired.bytes)
        one("keys_unknown", "Keys of types that the model does not know.", audit.opaqueKeys)
        metric(
            "snapshot_created_timestamp_seconds", "When the snapshot was written, as it says.",
            inputs.compactMap { input in
                input.createdAt.map { (Self.labels([("input", input.name)]), String($0)) }
            })
        metric(
            "file_used_memory_bytes", "used_memory of the server that wrote the snapshot, as it says.",
            inputs.compactMap { input in
                input.usedMemory.map { (Self.labels([("input", input.name)]), String($0)) }
            })
        let forms = audit.byType.flatMap { type, _, encodings in
            encodings.map { (Self.labels([("type", type.name), ("encoding", $0.encoding.name)]), $0.sum) }
        }
        metric("type_keys", "Keys by type and encoding.", forms.map { ($0.0, String($0.1.keys)) })
        metric("type_memory_bytes", "Memory by type and encoding.", forms.map { ($0.0, String($0.1.bytes)) })
        let databases = audit.databases.sorted { $0.key < $1.key }.map {
            (Self.labels([("db", String($0.key))]), $0.value.sum)
        }
        metric("db_keys", "Keys by database.", databases.map { ($0.0, String($0.1.keys)) })
        metric("db_memory_bytes", "Memory by database.", databases.map { ($0.0, String($0.1.bytes)) })
        let prefixes = groups.map { (Self.labels([("prefix", Self.plainName($0))]), $0.sum) }
        metric("prefix_keys", "Keys by prefix.", prefixes.map { ($0.0, String($0.1.keys)) })
        metric("prefix_memory_bytes", "Memory by prefix.", prefixes.map { ($0.0, String($0.1.bytes)) })
        for measure in audit.settings.measures {
            let entries = audit.top(measure).enumerated().map { rank, entry in
                (
                    Self.labels([
                        ("rank", String(rank + 1)), ("db", String(entry.database)), ("type", entry.type.name),
                        ("key", ReportText.escaped(entry.key)),
                    ]), String(measure.value(entry))
                )
            }
            let name =
                measure == .elements ? "elements" : measure == .element ? "element_bytes" : "\(measure.rawValue)_bytes"
            metric("top_key_\(name)", "The highest keys by \(Self.words(measure)).", entries)
        }
        text += Self.histogram(
            "key_memory_bytes", "Memory of each key.", audit.sizes, sum: total.bytes, count: total.keys)
        text += Self.histogram(
            "key_elements", "Elements of each key.", audit.elementCounts, sum: audit.elements, count: total.keys)
        if let slots = audit.slots?.slots {
            metric(
                "slot_memory_bytes", "Memory by cluster slot.",
                slots.enumerated().filter { $0.element.keys > 0 }.map {
                    (Self.labels([("slot", String($0.offset))]), String($0.element.bytes))
                })
        }
        metric(
            "shard_memory_bytes", "Memory by proposed shard.",
            shards.enumerated().map { number, shard in
                (
                    Self.labels([
                        ("shard", String(number + 1)), ("slots", "\(shard.slots.lowerBound)-\(shard.slots.upperBound)"),
                    ]), String(shard.sum.bytes)
                )
            })
        metric(
            "condition_failed", "1 where a condition of --fail-if holds.",
            conditions.map { (Self.labels([("condition", $0.condition.text)]), $0.fails ? "1" : "0") })
        return text
    }

    private static func plainName(_ group: PrefixGroups.Group) -> String {
        if group.prefix.isEmpty { return group.isRest ? "(others)" : "(all)" }
        return ReportText.escaped(group.prefix) + (group.isRest ? " (others)" : group.isOpen ? "…" : "")
    }

    private static func labels(_ pairs: [(name: String, value: String)]) -> String {
        "{" + pairs.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    private static func histogram(
        _ name: String, _ help: String, _ histogram: LogHistogram, sum: UInt64, count: UInt64
    ) -> String {
        if histogram.isEmpty { return "" }
        var text = "# HELP rdbkit_\(name) \(help)\n# TYPE rdbkit_\(name) histogram\n"
        var below: UInt64 = 0
        for row in histogram.rows where row.upper != .max {
            below += row.sum.keys
            text += "rdbkit_\(name)_bucket{le=\"\(row.upper)\"} \(below)\n"
        }
        text += "rdbkit_\(name)_bucket{le=\"+Inf\"} \(count)\n"
        return text + "rdbkit_\(name)_sum \(sum)\nrdbkit_\(name)_count \(count)\n"
    }
}
