import NIOCore
import RDBKit

/// What is known of a stream while it is compared.
struct StreamSlice {
    /// Entries of the slice: their IDs, and how many texts each has.
    var ids: [StreamID] = []
    var textCounts: [Int] = []
    /// Where the texts of the last one begin.
    var entryStart = 0
    /// The stream's groups at the target, by name.
    var groups: [[UInt8]: RESPReply] = [:]
    var hasState = false
    var groupCount = 0

    /// Of the group that is being read.
    var group: [UInt8]?
    var pending: [PendingEntry] = []
    var pendingCount: Int64 = 0
    var consumers: [[UInt8]: Int64] = [:]
    var consumerCount = 0
    var consumer: [UInt8]?
    var owned: [StreamID] = []
    var ownedCount: Int64 = 0
}

extension ElementComparison {
    /// A server tells how long ago an entry was delivered by a clock that it sets once for several commands.
    private static var deliveryTolerance: Int64 { 1000 }

    // MARK: - Entries

    mutating func streamEntry(_ id: StreamID) {
        if isDone { return }
        stream.ids.append(id)
        stream.entryStart = ranges.count
    }

    mutating func endStreamEntry() {
        if isDone { return }
        stream.textCounts.append(ranges.count - stream.entryStart)
        if isFull || stream.ids.count >= Self.sliceElementCount { compareEntries() }
    }

    private mutating func compareEntries() {
        defer {
            stream.ids.removeAll(keepingCapacity: true)
            stream.textCounts.removeAll(keepingCapacity: true)
            endSlice()
        }
        guard let first = stream.ids.first, let last = stream.ids.last,
            let found = elements(command("XRANGE", ["\(first)", "\(last)", "COUNT", "\(stream.ids.count)"]))
        else { return }
        var next = 0
        for (index, id) in stream.ids.enumerated() {
            let texts = ranges[next..<next + stream.textCounts[index]]
            next += texts.count
            guard index < found.count, let entry = found[index].array, entry.count == 2, let fields = entry[1].array,
                entry[0].text == "\(id)"
            else { return differs("entry \(id) is missing, or another one stands before it") }
            let isSameEntry =
                fields.count == texts.count
                && zip(texts, fields).allSatisfy { range, field in range.map { isSame($0, field) } ?? true }
            if !isSameEntry { return differs("entry \(id) is another one") }
        }
    }

    // MARK: - What the stream says of itself

    mutating func streamState(_ state: StreamState) {
        if isDone { return }
        compareEntries()
        guard let replies = ask([information("STREAM"), information("GROUPS")]) else { return }
        stream.hasState = true
        if replies[0]["last-generated-id"]?.text != "\(state.lastID)" { return differs("its last ID is another one") }
        if plan.comparedParts.contains(.streamCounters) {
            let deleted = state.maxDeletedID ?? StreamID(milliseconds: 0, sequence: 0)
            if replies[0]["entries-added"]?.integer != Int64(clamping: state.entriesAdded ?? state.length) {
                return differs("its number of entries ever added is another one")
            }
            if replies[0]["max-deleted-entry-id"]?.text != "\(deleted)" {
                return differs("its largest deleted ID is another one")
            }
        }
        for group in replies[1].array ?? [] {
            if let name = group["name"]?.bytes { stream.groups[name] = group }
        }
    }

    private func information(_ what: String, _ after: [String] = []) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeCommand([Array("XINFO".utf8), Array(what.utf8), key] + after.map { Array($0.utf8) })
        return bytes
    }

    // MARK: - Groups

    private func named(_ group: [UInt8]) -> String {
        String(decoding: group.prefix(60), as: UTF8.self).debugDescription
    }

    /// Its name, which is the last text.
    mutating func beginGroup(_ name: [UInt8]) {
        endSlice()
        stream.group = name
        stream.groupCount += 1
        stream.pendingCount = 0
        stream.consumerCount = 0
        stream.consumers = [:]
        var bytes = ByteBuffer()
        bytes.writeCommand([Array("XINFO".utf8), Array("CONSUMERS".utf8), key, name])
        guard stream.groups[name] != nil else { return differs("group \(named(name)) is missing") }
        guard let consumers = elements(bytes) else { return }
        for consumer in consumers {
            if let name = consumer["name"]?.bytes { stream.consumers[name] = consumer["pending"]?.integer ?? -1 }
        }
    }

    mutating func group(_ state: GroupState) {
        guard !isDone, let name = stream.group, let found = stream.groups[name] else { return }
        if found["last-delivered-id"]?.text != "\(state.lastID)" {
            return differs("the last ID of group \(named(name)) is another one")
        }
        guard plan.comparedParts.contains(.streamCounters) else { return }
        let count = found["entries-read"]
        let isSame: Bool
        switch state.entriesRead {
        case .count(let expected): isSame = count?.integer == Int64(clamping: expected)
        case .unknown: isSame = count?.isNull == true
        // What a server makes of that is its own reckoning.
        case .absent: isSame = true
        }
        if !isSame { differs("the entries read by group \(named(name)) are another number") }
    }

    mutating func pendingEntry(_ entry: PendingEntry) {
        if isDone { return }
        stream.pending.append(entry)
        stream.pendingCount += 1
        if stream.pending.count >= Self.sliceElementCount { comparePending() }
    }

    private mutating func comparePending() {
        defer { stream.pending.removeAll(keepingCapacity: true) }
        guard let name = stream.group, let first = stream.pending.first, let last = stream.pending.last else { return }
        var time = ByteBuffer()
        time.writeCommand("TIME")
        let range = pendingQuestion(name, first.id, last.id, stream.pending.count, nil)
        guard let replies = ask([time, range, time]) else { return }
        guard let before = replies[0].serverTime, let after = replies[2].serverTime,
            let found = replies[1].array
        else { return differs("the answers to TIME and XPENDING are not understood") }
        for (index, entry) in stream.pending.enumerated() {
            guard index < found.count, let row = found[index].array, row.count >= 4, row[0].text == "\(entry.id)" else {
                return differs("pending entry \(entry.id) of group \(named(name)) is missing")
            }
            if row[3].integer != Int64(clamping: entry.deliveryCount) {
                return differs(
                    "pending entry \(entry.id) of group \(named(name)) was delivered another number of times")
            }
            let idle = min(max(row[2].integer ?? -1, -1), 1 << 62)
            // Of a time to come a server says that it is now.
            let isSame =
                idle == 0 && entry.deliveredAt >= before - Self.deliveryTolerance
                || before - idle - Self.deliveryTolerance <= entry.deliveredAt
                    && entry.deliveredAt <= after - idle + Self.deliveryTolerance
            if plan.comparedParts.contains(.deliveryTimes), !isSame {
                return differs("pending entry \(entry.id) of group \(named(name)) was delivered at another time")
            }
        }
    }

    private func pendingQuestion(
        _ group: [UInt8], _ first: StreamID, _ last: StreamID, _ count: Int, _ consumer: [UInt8]?
    ) -> ByteBuffer {
        var bytes = ByteBuffer()
        let range = ["\(first)", "\(last)", "\(count)"].map { Array($0.utf8) }
        bytes.writeCommand([Array("XPENDING".utf8), key, group] + range + (consumer.map { [$0] } ?? []))
        return bytes
    }

    // MARK: - Consumers

    mutating func beginConsumer(_ name: [UInt8]) {
        endSlice()
        endConsumer()
        stream.consumerCount += 1
        stream.consumer = name
        stream.ownedCount = 0
        if stream.consumers[name] == nil, let group = stream.group {
            differs("consumer \(named(name)) of group \(named(group)) is missing")
        }
    }

    mutating func consumerPending(_ id: StreamID) {
        if isDone { return }
        stream.owned.append(id)
        stream.ownedCount += 1
        if stream.owned.count >= Self.sliceElementCount { compareOwned() }
    }

    private mutating func compareOwned() {
        defer { stream.owned.removeAll(keepingCapacity: true) }
        guard let group = stream.group, let consumer = stream.consumer, let first = stream.owned.first,
            let last = stream.owned.last,
            let found = elements(pendingQuestion(group, first, last, stream.owned.count, consumer))
        else { return }
        for (index, id) in stream.owned.enumerated()
        where index >= found.count || found[index].array?.first?.text != "\(id)" {
            return differs("pending entry \(id) of group \(named(group)) is not that of consumer \(named(consumer))")
        }
    }

    private mutating func endConsumer() {
        guard !isDone, let consumer = stream.consumer else { return }
        compareOwned()
        if !isDone, stream.consumers[consumer] != stream.ownedCount {
            differs("consumer \(named(consumer)) has another number of pending entries")
        }
        stream.consumer = nil
    }

    mutating func endGroup() -> Bool {
        guard !isDone, let name = stream.group else { return false }
        comparePending()
        endConsumer()
        if isDone { return false }
        if stream.groups[name]?["pending"]?.integer != stream.pendingCount {
            differs("group \(named(name)) has another number of pending entries")
        } else if stream.consumers.count != stream.consumerCount {
            differs("group \(named(name)) has another number of consumers")
        }
        return false
    }

    mutating func idempotence(_ state: IdempotenceState) {
        // Producers and what they sent cannot be asked for.
        if plan.comparedParts.contains(.streamProducers) { markUncompared() }
    }

    mutating func finishStream() {
        if !stream.hasState { compareEntries() }
        if !isDone, stream.groups.count != stream.groupCount { differs("its number of groups is another one") }
    }
}
