import RDBKit

/// A stream as `XINFO STREAM key FULL` tells it (6.0 and later).
struct StreamReport {
    struct Consumer {
        var name: [UInt8]
        var times: ConsumerTimes
        var pending: [StreamID]
    }

    struct Group {
        var name: [UInt8]
        var state: GroupState
        var pending: [PendingEntry]
        var consumers: [Consumer]
    }

    var state: StreamState
    /// Each an ID and its fields and values in turn.
    var entries: [RESPReply]
    var groups: [Group]
    /// The largest number of pending entries of a group, told or not.
    var mostPending: Int64

    /// - Returns: nil where the reply is none of this command's.
    init?(_ reply: RESPReply) {
        guard let length = reply["length"]?.integer, length >= 0,
            let lastID = reply["last-generated-id"].flatMap({ StreamID($0) }),
            let entries = reply["entries"]?.array, let groups = reply["groups"]?.array
        else { return nil }
        state = StreamState(length: UInt64(length), lastID: lastID)
        // Since 7.0.
        if let added = reply["entries-added"]?.integer {
            guard added >= 0, let first = reply["recorded-first-entry-id"].flatMap({ StreamID($0) }),
                let deleted = reply["max-deleted-entry-id"].flatMap({ StreamID($0) })
            else { return nil }
            (state.entriesAdded, state.firstID, state.maxDeletedID) = (UInt64(added), first, deleted)
        }
        self.entries = entries
        self.groups = []
        mostPending = 0
        for group in groups {
            guard let parsed = Group(group) else { return nil }
            self.groups.append(parsed)
            mostPending = max(mostPending, group["pel-count"]?.integer ?? Int64(parsed.pending.count))
        }
    }
}

extension StreamReport.Group {
    fileprivate init?(_ reply: RESPReply) {
        guard case .bulk(let name)? = reply["name"], let lastID = reply["last-delivered-id"].flatMap({ StreamID($0) }),
            let pending = reply["pending"]?.array, let consumers = reply["consumers"]?.array
        else { return nil }
        self.name = name
        state = GroupState(lastID: lastID, entriesRead: .absent)
        if let count = reply["entries-read"] {
            state.entriesRead = count.integer.map { .count(UInt64(clamping: $0)) } ?? .unknown
        }
        self.pending = []
        for entry in pending {
            guard let parts = entry.array, parts.count == 4, let id = StreamID(parts[0]),
                let deliveredAt = parts[2].integer, let count = parts[3].integer
            else { return nil }
            self.pending.append(
                PendingEntry(id: id, deliveredAt: deliveredAt, deliveryCount: UInt64(clamping: count)))
        }
        self.consumers = []
        for consumer in consumers {
            guard case .bulk(let name)? = consumer["name"], let seenAt = consumer["seen-time"]?.integer,
                let pending = consumer["pending"]?.array
            else { return nil }
            var ids: [StreamID] = []
            for entry in pending {
                guard let id = entry.array?.first.flatMap({ StreamID($0) }) else { return nil }
                ids.append(id)
            }
            let times = ConsumerTimes(seenAt: seenAt, activeAt: consumer["active-time"]?.integer)
            self.consumers.append(StreamReport.Consumer(name: name, times: times, pending: ids))
        }
    }
}

extension StreamID {
    /// `1700000000000-0`.
    init?(_ reply: RESPReply) {
        guard let text = reply.text, let dash = text.utf8.firstIndex(of: UInt8(ascii: "-")),
            let milliseconds = UInt64(text[..<dash]), let sequence = UInt64(text[text.index(after: dash)...])
        else { return nil }
        self.init(milliseconds: milliseconds, sequence: sequence)
    }
}

// Source: formats/encodings.md §8, and the layouts before StreamNodeDecoder and RDBReader.readStream.
extension OutputBuffer {
    /// - Returns: the type byte; nil where an entry is none.
    mutating func append(_ stream: StreamReport, _ plan: SnapshotPlan) -> UInt8? {
        var nodes = StreamNodes(plan.version)
        for entry in stream.entries {
            guard nodes.append(entry) else { return nil }
        }
        nodes.closeNode()
        append(length: nodes.nodeCount)
        append(nodes.out.bytes)
        appendTail(of: stream, entryCount: nodes.entryCount, plan)
        return Self.streamTypeByte(stream, plan)
    }

    static func streamTypeByte(_ stream: StreamReport, _ plan: SnapshotPlan) -> UInt8 {
        if stream.state.entriesAdded == nil { return 15 }
        return plan.version.number >= 11 ? 21 : 19
    }

    /// Everything behind the nodes.
    mutating func appendTail(of stream: StreamReport, entryCount: UInt64, _ plan: SnapshotPlan) {
        let typeByte = Self.streamTypeByte(stream, plan)
        append(length: entryCount)
        append(stream.state.lastID)
        if typeByte >= 19 {
            append(stream.state.firstID ?? StreamID(milliseconds: 0, sequence: 0))
            append(stream.state.maxDeletedID ?? StreamID(milliseconds: 0, sequence: 0))
            append(length: stream.state.entriesAdded ?? 0)
        }
        append(length: UInt64(stream.groups.count))
        for group in stream.groups {
            append(text: group.name)
            append(group.state.lastID)
            if typeByte >= 19 {
                if case .count(let count) = group.state.entriesRead {
                    append(length: count)
                } else {
                    append(length: .max)
                }
            }
            append(length: UInt64(group.pending.count))
            for entry in group.pending {
                appendRaw(entry.id)
                append(littleEndian: entry.deliveredAt)
                append(length: entry.deliveryCount)
            }
            append(length: UInt64(group.consumers.count))
            for consumer in group.consumers {
                append(text: consumer.name)
                append(littleEndian: consumer.times.seenAt)
                if typeByte == 21 { append(littleEndian: consumer.times.activeAt ?? -1) }
                append(length: UInt64(consumer.pending.count))
                for id in consumer.pending { appendRaw(id) }
            }
        }
    }

    /// Two lengths.
    private mutating func append(_ id: StreamID) {
        append(length: id.milliseconds)
        append(length: id.sequence)
    }

    /// 16 bytes, big endian.
    mutating func appendRaw(_ id: StreamID) {
        append(littleEndian: id.milliseconds.byteSwapped)
        append(littleEndian: id.sequence.byteSwapped)
    }
}
