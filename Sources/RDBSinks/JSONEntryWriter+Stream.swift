internal import RDBBytes
public import RDBModel

// Streams as JSON. A file lists a group's pending entries first and their owners afterwards, so the entries wait in
// memory, a bounded batch at a time, until their owners are known; the group is read once for each batch.
extension JSONEntryWriter {
    public mutating func streamEntry(_ id: StreamID) {
        elementCount += 1
        guard writes else { return }
        if needsComma { out.append(",{\"id\":\"") } else { out.append("{\"entries\":[{\"id\":\"") }
        needsComma = true
        needsInnerComma = false
        out.append(id)
        out.append("\",\"fields\":[")
    }

    public mutating func endStreamEntry() {
        guard writes else { return }
        out.append("]}")
        // An entry without fields has had no text that did it.
        relieve()
    }

    public mutating func streamState(_ state: StreamState) {
        guard writes else { return }
        out.append(needsComma ? "],\"length\":" : "{\"entries\":[],\"length\":")
        out.append(decimal: state.length)
        appendID(",\"last_id\":\"", state.lastID)
        if let id = state.firstID { appendID(",\"first_id\":\"", id) }
        if let id = state.maxDeletedID { appendID(",\"max_deleted_id\":\"", id) }
        if let count = state.entriesAdded {
            out.append(",\"entries_added\":")
            out.append(decimal: count)
        }
        out.append(",\"groups\":[")
        needsComma = false
    }

    private mutating func appendID(_ name: StaticString, _ id: StreamID) {
        out.append(name)
        out.append(id)
        out.append(UInt8(ascii: "\""))
    }

    public mutating func group(_ state: GroupState) {
        guard writes else { return consumers.removeAll() }
        appendID(",\"last_id\":\"", state.lastID)
        out.append(",\"entries_read\":")
        // A file that does not say it, and a server that does not know it, come to the same.
        if case .count(let count) = state.entriesRead { out.append(decimal: count) } else { out.append("null") }
        out.append(",\"pending\":[")
        pending.removeAll()
        consumers.removeAll()
        needsInnerComma = false
    }

    public mutating func pendingEntry(_ entry: PendingEntry) {
        if writes { pending.add(entry) }
    }

    @usableFromInline
    mutating func addConsumer(_ name: RawSpan) {
        pending.startConsumer()
        if pending.isFirstPass { consumers.add { [form] in $0.appendJSON(name, form: form) } }
    }

    /// The pass that only validates refuses what the one that writes cannot hold.
    @usableFromInline
    mutating func countConsumer(_ name: RawSpan) {
        if isCountingConsumers { consumers.add { [form] in $0.appendJSON(name, form: form) } }
    }

    private var isCountingConsumers: Bool { pass == .validating && writesValue && refusal == nil }

    public mutating func consumer(_ times: ConsumerTimes) {
        guard writes ? pending.isFirstPass : isCountingConsumers else { return }
        consumers.add(times)
        if consumers.byteCount > Self.maxNamesByteCount {
            refuse(
                DecodeError(
                    .limitExceeded, at: ByteLocation(offset: header.valueOffset),
                    expected: "consumers of one group of at most 8 MiB in all",
                    found: .unsigned(UInt64(consumers.byteCount))))
        }
    }

    public mutating func consumerPending(_ id: StreamID) {
        if writes { _ = pending.assign(id) }
    }

    public mutating func endGroup() -> Bool {
        guard writes else { return false }
        for index in pending.entries.indices {
            let entry = pending.entries[index]
            separateInner()
            appendID("{\"id\":\"", entry.id)
            out.append(",\"consumer\":")
            if let owner = pending.owner(of: index) {
                consumers.appendName(owner, to: &out)
            } else {
                out.append("null")
            }
            out.append(",\"delivered_at_ms\":")
            out.append(decimal: entry.deliveredAt)
            out.append(",\"deliveries\":")
            out.append(decimal: entry.deliveryCount)
            out.append("}")
            relieve()
            if !writes { return false }
        }
        if pending.startNextBatch() { return true }
        out.append("],\"consumers\":[")
        needsInnerComma = false
        for index in 0..<consumers.count {
            separateInner()
            out.append("{\"name\":")
            consumers.appendName(index, to: &out)
            let times = consumers.times(index)
            out.append(",\"seen_at_ms\":")
            out.append(decimal: times.seenAt)
            if let active = times.activeAt {
                out.append(",\"active_at_ms\":")
                out.append(decimal: active)
            }
            out.append("}")
            relieve()
            if !writes { return false }
        }
        out.append("]}")
        return false
    }

    public mutating func producerEntry(_ id: StreamID) {
        guard writes else { return }
        appendID(",\"id\":\"", id)
        out.append("}")
        relieve()
    }

    /// Comes after the producers, whose list is open if there were any.
    public mutating func idempotence(_ state: IdempotenceState) {
        guard writes else { return }
        if isInProducers {
            out.append(needsInnerComma ? "]}]" : ",\"entries\":[]}]")
        } else {
            out.append("],\"idmp\":{\"producers\":[]")
        }
        out.append(",\"duration_seconds\":")
        out.append(decimal: state.durationSeconds)
        out.append(",\"max_entries\":")
        out.append(decimal: state.maxEntries)
        out.append(",\"iids_added\":")
        out.append(decimal: state.idsAdded)
        out.append(",\"iids_duplicates\":")
        out.append(decimal: state.idsDuplicate)
        out.append("}")
        hasProducers = true
    }
}
