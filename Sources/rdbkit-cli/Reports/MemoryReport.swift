import RDBKit

/// What `memory` tells of its inputs, all of them together: the figures that every form of it shares.
struct MemoryReport {
    let inputs: [MemoryConsumer.InputFacts]
    let audit: MemoryAudit
    /// Rows of prefixes.
    let maxRows: Int
    /// nil where slots are not asked for.
    let shardCount: Int?
    let conditions: [ConditionResult]
    let groups: [PrefixGroups.Group]
    /// No entries were left out by the user.
    let isWhole: Bool

    /// A condition of `--fail-if`, and whether it holds.
    struct ConditionResult {
        var condition: AuditCondition
        var fails: Bool
        /// Of a condition on keys.
        var keys: UInt64 = 0
        var offenders: [AuditEntry] = []
        /// Of a condition on the data set.
        var figure: Double?
    }

    init(_ consumer: borrowing MemoryConsumer, maxRows: Int, shardCount: Int?, isWhole: Bool) {
        self.isWhole = isWhole
        inputs = consumer.inputs
        audit = consumer.audit
        self.maxRows = maxRows
        self.shardCount = shardCount
        let isLiteral = audit.settings.division != .found
        groups = maxRows > 0 ? PrefixGroups(audit.prefixes, maxCount: maxRows, isLiteral: isLiteral).groups : []
        conditions = Self.evaluate(audit, serverBytes: inputs.reduce(0) { $0 + $1.dataset.serverBytes })
    }

    private static func evaluate(_ audit: MemoryAudit, serverBytes: UInt64) -> [ConditionResult] {
        var ofKeys = audit.conditions.makeIterator()
        return audit.settings.conditions.map { condition in
            if condition.metric.isOfKeys, let tally = ofKeys.next() {
                return ConditionResult(
                    condition: condition, fails: tally.count > 0, keys: tally.count,
                    offenders: tally.offenders.entries)
            }
            let figure: Double =
                switch condition.metric {
                case .keys: Double(audit.total.keys)
                case .totalBytes: Double(audit.total.bytes)
                case .serverBytes: Double(serverBytes)
                case .noExpiryKeys: Double(audit.total.lasting)
                case .noExpiryShare: audit.lastingShare
                case .expiredKeys: Double(audit.expired.keys)
                case .expiredShare: audit.expiredShare
                default: 0
                }
            return ConditionResult(condition: condition, fails: condition.holds(figure), figure: figure)
        }
    }

    // MARK: - Figures

    var total: AuditSum { audit.total }
    var usedBytes: UInt64 { inputs.reduce(0) { $0 + $1.dataset.usedBytes } }
    var serverBytes: UInt64 { inputs.reduce(0) { $0 + $1.dataset.serverBytes } }

    /// How far the model of an input is from what the file says, as a share of that.
    static func deviation(_ input: MemoryConsumer.InputFacts) -> Double? {
        guard let used = input.usedMemory, used > 0 else { return nil }
        return (Double(input.dataset.serverBytes) - Double(used)) / Double(used)
    }

    var shards: [SlotTally.Shard] {
        guard let shardCount, let slots = audit.slots else { return [] }
        return slots.shards(shardCount)
    }

    /// How a group of keys is called.
    static func name(_ group: PrefixGroups.Group) -> String {
        if group.prefix.isEmpty { return group.isRest ? "(others)" : "(all)" }
        let text = ReportText.key(group.prefix)
        if group.isRest { return "\(text) (others)" }
        return group.isOpen ? "\(text)…" : text
    }

    /// The name of a limit in a server's configuration, and what it would have to be.
    func advice(_ row: EncodingMisses.Row) -> [(name: String, value: UInt64)] {
        let isOld = inputs.first.map { $0.model.server == .redis62 } ?? false
        let form = isOld ? "ziplist" : "listpack"
        var advice: [(name: String, value: UInt64)] = []
        if row.cause != .value { advice.append(("\(row.type.name)-max-\(form)-entries", row.neededEntries)) }
        if row.cause != .entries { advice.append(("\(row.type.name)-max-\(form)-value", row.neededValue)) }
        return advice
    }

    static func words(_ measure: AuditMeasure) -> String {
        switch measure {
        case .memory: "memory"
        case .size: "serialized size"
        case .elements: "elements"
        case .element: "largest element"
        }
    }

    var failed: [ConditionResult] { conditions.filter(\.fails) }

    /// A failed condition in one sentence.
    static func sentence(_ result: ConditionResult) -> String {
        let condition = result.condition
        if let figure = result.figure {
            return "\(condition.text): it is \(number(figure, condition.metric))"
        }
        return "\(condition.text): \(counted(result.keys, "key"))"
    }

    private static func number(_ figure: Double, _ metric: AuditCondition.Metric) -> String {
        switch metric {
        case .noExpiryShare, .expiredShare: ReportText.share(figure)
        case .totalBytes, .serverBytes:
            figure < 1024 ? "\(UInt64(figure)) bytes" : "\(humanByteCount(UInt64(figure))) (\(UInt64(figure)) bytes)"
        default: "\(UInt64(figure))"
        }
    }
}
