import RDBKit

// For machines: one JSON object.
extension MemoryReport {
    /// Smaller prefixes than this share of all bytes are not listed.
    private static let leastPrefixShare: UInt64 = 2000

    var json: JSONValue {
        .members(
            ("inputs", .array(inputs.map { Self.json($0) })), ("keys", .unsigned(total.keys)),
            ("memory_bytes", .unsigned(total.bytes)), ("used_bytes", .unsigned(usedBytes)),
            ("server_bytes", .unsigned(serverBytes)), ("serialized_bytes", .unsigned(total.serializedBytes)),
            ("key_bytes", .unsigned(audit.keyBytes)), ("elements", .unsigned(audit.elements)),
            ("no_expiry_keys", .unsigned(total.lasting)),
            ("no_expiry_share", .double(Self.rounded(audit.lastingShare))),
            ("expired_keys", .unsigned(audit.expired.keys)), ("expired_bytes", .unsigned(audit.expired.bytes)),
            ("expired_share", .double(Self.rounded(audit.expiredShare))),
            ("expiring_fields", .unsigned(audit.expiringFields)), ("idle_time_keys", .unsigned(audit.withIdleTime)),
            ("unknown_keys", .unsigned(audit.opaqueKeys)), ("by_type", .array(types)), ("by_db", .array(databases)),
            ("groups", .array(groups.map { Self.json($0) })), ("prefixes", prefixes), ("top", rankings),
            ("top_by_type", typeRankings), ("histograms", histograms), ("missed_encodings", .array(misses)),
            ("slots", slots), ("shards", shardCount == nil ? nil : .array(shards.map { Self.json($0) })),
            ("conditions", conditions.isEmpty ? nil : .array(conditions.map { json($0) })))
    }

    static func rounded(_ share: Double) -> Double { (share * 1_000_000).rounded() / 1_000_000 }

    private static func json(_ input: MemoryConsumer.InputFacts) -> JSONValue {
        .members(
            ("input", .text(input.name)), ("writer", input.writer.map { .text($0) }),
            ("created_at", input.createdAt.map { .integer($0) }), ("server", .text(input.model.server.name)),
            ("allocator", .text(input.model.allocator.name)), ("keys", .unsigned(input.dataset.keyCount)),
            ("memory_bytes", .unsigned(input.dataset.entryBytes)), ("used_bytes", .unsigned(input.dataset.usedBytes)),
            ("server_bytes", .unsigned(input.dataset.serverBytes)),
            ("file_used_memory_bytes", input.usedMemory.map { .unsigned($0) }),
            ("model_deviation_share", deviation(input).map { .double(rounded($0)) }))
    }

    private static func sum(_ sum: AuditSum) -> [(String, JSONValue?)] {
        [
            ("keys", .unsigned(sum.keys)), ("memory_bytes", .unsigned(sum.bytes)),
            ("serialized_bytes", .unsigned(sum.serializedBytes)), ("no_expiry_keys", .unsigned(sum.lasting)),
        ]
    }

    private static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(members.compactMap { member in member.1.map { (name: member.0, value: $0) } })
    }

    private var types: [JSONValue] {
        audit.byType.map { type, sum, encodings in
            Self.object(
                [("type", .text(type.name))] + Self.sum(sum)
                    + [
                        (
                            "encodings",
                            .array(
                                encodings.map {
                                    Self.object([("encoding", .text($0.encoding.name))] + Self.sum($0.sum))
                                })
                        )
                    ])
        }
    }

    private var databases: [JSONValue] {
        let listed = audit.databases.sorted { $0.key < $1.key }.map { number, database in
            Self.object(
                [("db", .unsigned(number))] + Self.sum(database.sum) + [("expired_keys", .unsigned(database.expired))])
        }
        if audit.otherDatabases.sum.keys == 0 { return listed }
        return listed + [
            Self.object(
                [("db", .null)] + Self.sum(audit.otherDatabases.sum)
                    + [("expired_keys", .unsigned(audit.otherDatabases.expired))])
        ]
    }

    private static func json(_ group: PrefixGroups.Group) -> JSONValue {
        object(
            [
                ("prefix", .bytes(group.prefix)), ("open", .bool(group.isOpen)), ("rest", .bool(group.isRest)),
                ("folded", .bool(group.isGroup)),
            ] + sum(group.sum) + [("error_bytes", .unsigned(group.error))])
    }

    private var prefixes: JSONValue {
        let rows = audit.prefixes.rows(minBytes: total.bytes / Self.leastPrefixShare)
        return .members(
            ("max_error_bytes", .unsigned(audit.prefixes.maxError)),
            (
                "rows",
                .array(
                    rows.map { row in
                        Self.object(
                            [
                                ("prefix", .bytes(row.prefix)), ("level", .integer(Int64(row.level))),
                                ("parent", .integer(Int64(row.parent))), ("open", .bool(row.hasMore)),
                                ("folded", .bool(row.isGroup)),
                            ] + Self.sum(row.sum) + [("error_bytes", .unsigned(row.error))])
                    })
            ))
    }

    private func json(_ entry: AuditEntry) -> JSONValue {
        .members(
            ("db", .unsigned(entry.database)), ("key", .bytes(entry.key)),
            ("key_length_bytes", entry.isKeyCut ? .unsigned(entry.keyByteCount) : nil),
            ("type", .text(entry.type.name)),
            ("encoding", .text(entry.encoding.name)), ("memory_bytes", .unsigned(entry.bytes)),
            ("serialized_bytes", .unsigned(entry.serializedBytes)), ("elements", .unsigned(entry.elements)),
            ("largest_element_bytes", .unsigned(entry.largestElementBytes)),
            ("expires_at_ms", entry.expiresAt.map { .integer($0) }),
            ("idle_seconds", entry.idleSeconds.map { .unsigned($0) }),
            ("lfu_freq", entry.lfuFrequency.map { .unsigned(UInt64($0)) }),
            ("input", inputs.count > 1 ? .text(inputs[entry.input].name) : nil))
    }

    private var rankings: JSONValue {
        .object(
            audit.settings.measures.map { measure in
                (name: measure.rawValue, value: .array(audit.top(measure).map { json($0) }))
            })
    }

    private var typeRankings: JSONValue? {
        guard audit.settings.ranksTypes else { return nil }
        return .object(
            audit.byType.map { type, _, _ in
                (
                    name: type.name,
                    value: .object(
                        audit.settings.measures.map { measure in
                            (name: measure.rawValue, value: .array(audit.top(measure, type: type).map { json($0) }))
                        })
                )
            })
    }

    private var histograms: JSONValue {
        func rows(_ histogram: LogHistogram) -> JSONValue? {
            histogram.isEmpty
                ? nil
                : .array(
                    histogram.rows.map {
                        .members(
                            ("from", .unsigned($0.lower)), ("to", .unsigned($0.upper)),
                            ("keys", .unsigned($0.sum.keys)),
                            ("memory_bytes", .unsigned($0.sum.bytes)))
                    })
        }
        return .members(
            ("memory_bytes", rows(audit.sizes)), ("elements", rows(audit.elementCounts)),
            ("ttl_seconds", rows(audit.timesToLive)), ("idle_seconds", rows(audit.idleTimes)))
    }

    private var misses: [JSONValue] {
        audit.misses.rows.map { row in
            .members(
                ("type", .text(row.type.name)),
                ("cause", .text(row.cause == .entries ? "entries" : row.cause == .value ? "value" : "both")),
                ("keys", .unsigned(row.keys)), ("memory_bytes", .unsigned(row.bytes)),
                ("compact_bytes", .unsigned(row.compactBytes)), ("saved_bytes", .unsigned(row.savedBytes)),
                ("settings", .object(advice(row).map { (name: $0.name, value: .unsigned($0.value)) })))
        }
    }

    /// Slots with keys, each as one row of numbers, because there may be 16384 of them.
    private var slots: JSONValue? {
        audit.slots.map { tally in
            .array(
                tally.slots.enumerated().filter { $0.element.keys > 0 }.map { slot, sum in
                    Self.object([("slot", .integer(Int64(slot)))] + Self.sum(sum))
                })
        }
    }

    private static func json(_ shard: SlotTally.Shard) -> JSONValue {
        object(
            [
                ("first_slot", .integer(Int64(shard.slots.lowerBound))),
                ("last_slot", .integer(Int64(shard.slots.upperBound))),
            ] + sum(shard.sum))
    }

    private func json(_ result: ConditionResult) -> JSONValue {
        .members(
            ("condition", .text(result.condition.text)), ("failed", .bool(result.fails)),
            ("figure", result.figure.map { .double(Self.rounded($0)) }),
            ("offending_keys", result.figure == nil ? .unsigned(result.keys) : nil),
            ("offenders", result.figure == nil ? .array(result.offenders.map { json($0) }) : nil))
    }
}
