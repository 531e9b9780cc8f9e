import RDBBytes
import RDBFormat
import RDBModel
import RESPFormat

// Consumer groups of streams.
// Source: redis/redis src/t_stream.c; formats/commands.md §C.12, formats/newest.md §10.4.
extension CommandRunner {
    // MARK: - XGROUP

    func changeGroup(_ arguments: CommandArguments) -> CommandOutcome {
        let isCreate = arguments.matches(1, "create")
        let isSetID = arguments.matches(1, "setid")
        let isDestroy = arguments.matches(1, "destroy")
        let isCreateConsumer = arguments.matches(1, "createconsumer")
        guard isCreate || isSetID || isDestroy || isCreateConsumer || arguments.matches(1, "delconsumer") else {
            return .refused
        }
        guard arguments.count >= (isDestroy ? 4 : 5) else { return .wrongArgumentCount }
        if !isCreate, !isSetID, arguments.count > (isDestroy ? 4 : 5) { return .wrongArgumentCount }
        var makesStream = false
        var entriesRead: UInt64?
        var index = 5
        while index < arguments.count {
            if isCreate, arguments.matches(index, "mkstream") {
                makesStream = true
                index += 1
            } else if arguments.matches(index, "entriesread"), let count = arguments.integer(index + 1), count >= -1 {
                entriesRead = count == -1 ? nil : UInt64(count)
                index += 2
            } else {
                return .refused
            }
        }
        let existing: KeyspaceStream?
        switch find(arguments[2], KeyspaceStream.self) {
        case .wrongType: return .refused
        case .missing: existing = nil
        case .value(let stream): existing = stream
        }
        if isCreate {
            guard let id = groupID(arguments, existing), existing != nil || makesStream,
                existing?.group(arguments[3]) == nil,
                let stream = existing ?? findOrCreate(arguments[2], KeyspaceStream.self)
            else { return .refused }
            stream.groups.insert(arguments[3], StreamGroup(lastID: id, entriesRead: entriesRead))
            return .applied
        }
        guard let stream = existing else { return .refused }
        if isDestroy {
            stream.groups.remove(arguments[3])
            return .applied
        }
        guard let group = stream.group(arguments[3]) else { return .refused }
        if isSetID {
            guard let id = groupID(arguments, stream) else { return .refused }
            group.lastID = id
            group.entriesRead = entriesRead
        } else if isCreateConsumer {
            _ = group.makeConsumer(arguments[4], seenAt: now)
        } else {
            group.deleteConsumer(arguments[4])
        }
        return .applied
    }

    /// An ID or `$`, the stream's last one. SETID also takes `-` and `+`.
    private func groupID(_ arguments: CommandArguments, _ stream: KeyspaceStream?) -> StreamID? {
        if arguments.isText(4, "$") { return stream?.lastID ?? .zero }
        if arguments.matches(1, "setid") {
            if arguments.isText(4, "-") { return .zero }
            if arguments.isText(4, "+") { return .greatest }
        }
        return arguments.streamID(4)
    }

    // MARK: - Acknowledging

    func acknowledge(_ arguments: CommandArguments) -> CommandOutcome {
        switch find(arguments[1], KeyspaceStream.self) {
        case .wrongType: return .refused
        case .missing: return .applied
        case .value(let stream):
            guard let group = stream.group(arguments[2]) else { return .applied }
            guard let ids = arguments.streamIDs(3..<arguments.count) else { return .refused }
            for id in ids { group.acknowledge(id) }
            return .applied
        }
    }

    func giveBack(_ arguments: CommandArguments) -> CommandOutcome {
        let isSilent = arguments.matches(3, "silent")
        let isFatal = arguments.matches(3, "fatal")
        guard isSilent || isFatal || arguments.matches(3, "fail") else { return .refused }
        guard let range = arguments.idRange(4), let ids = arguments.streamIDs(range) else { return .refused }
        var retryCount: UInt64?
        var isForced = false
        var index = range.upperBound
        while index < arguments.count {
            if arguments.matches(index, "force") {
                isForced = true
                index += 1
            } else if arguments.matches(index, "retrycount"), let count = arguments.integer(index + 1), count >= 0 {
                retryCount = UInt64(count)
                index += 2
            } else {
                return .refused
            }
        }
        guard case .value(let stream) = find(arguments[1], KeyspaceStream.self),
            let group = stream.group(arguments[2])
        else { return .refused }
        for id in ids {
            let count: UInt64
            if let place = group.pending.find(id) {
                let present = group.pending[place].deliveryCount
                count = isSilent ? (present > 0 ? present - 1 : 0) : isFatal ? UInt64(Int64.max) : present
            } else if isForced, stream.contains(id) {
                count = 0
            } else {
                continue
            }
            group.giveBack(id, deliveryCount: retryCount ?? count)
        }
        return .applied
    }

    // MARK: - Claiming

    func claim(_ arguments: CommandArguments) -> CommandOutcome {
        guard case .value(let stream) = find(arguments[1], KeyspaceStream.self),
            let group = stream.group(arguments[2]), let options = ClaimOptions(arguments, now: now)
        else { return .refused }
        if options.lastID > group.lastID { group.lastID = options.lastID }
        let dropsDeleted = server?.dropsDeletedFromPending != false
        var consumer: StreamGroup.ConsumerNumber?
        if server?.makesConsumerOnClaim != false {
            let made = group.makeConsumer(arguments[3], seenAt: now)
            group[made].seenAt = now
            consumer = made
        }
        for id in options.ids {
            if dropsDeleted, !stream.contains(id) {
                group.acknowledge(id)
                continue
            }
            let place = group.pending.find(id)
            guard place != nil || options.isForced else { continue }
            // Unsigned where the counter is at its end.
            var deliveryCount: UInt64 = 1
            if let place {
                let pending = group.pending[place]
                if options.minIdle > 0, pending.owner != nil, now &- pending.deliveredAt < options.minIdle { continue }
                deliveryCount = pending.deliveryCount
            }
            if let retryCount = options.retryCount {
                deliveryCount = retryCount
            } else if !options.isJustID {
                deliveryCount &+= 1
            }
            let owner = consumer ?? group.makeConsumer(arguments[3], seenAt: now)
            consumer = owner
            group.assign(id, to: owner, deliveredAt: options.deliveredAt, deliveryCount: deliveryCount)
            group[owner].seenAt = now
            group[owner].activeAt = now
        }
        return .applied
    }

    func claimIdle(_ arguments: CommandArguments) -> CommandOutcome {
        guard let minIdle = arguments.integer(4) else { return .refused }
        let isExclusive = arguments[5].byteCount > 1 && arguments[5].byte(at: 0) == UInt8(ascii: "(")
        let text = isExclusive ? arguments[5].extracting(1..<arguments[5].byteCount) : arguments[5]
        var parsed = StreamIDText.parse(text)
        if !isExclusive, arguments.isText(5, "-") { parsed = .zero }
        if !isExclusive, arguments.isText(5, "+") { parsed = .greatest }
        if isExclusive { parsed = parsed?.next }
        guard var next = parsed else { return .refused }
        var count: Int64 = 100
        var isJustID = false
        var index = 6
        while index < arguments.count {
            if arguments.matches(index, "count"), let number = arguments.integer(index + 1), number > 0,
                number <= .max / 16
            {
                count = number
                index += 1
            } else if arguments.matches(index, "justid") {
                isJustID = true
            } else {
                return .refused
            }
            index += 1
        }
        guard case .value(let stream) = find(arguments[1], KeyspaceStream.self),
            let group = stream.group(arguments[2])
        else { return .refused }
        let consumer = group.makeConsumer(arguments[3], seenAt: now)
        group[consumer].seenAt = now
        var attempts = count * 10
        while attempts > 0, count > 0, let element = group.pending.first(from: next) {
            attempts -= 1
            let id = element.key
            if server?.dropsDeletedFromPending != false, !stream.contains(id) {
                group.acknowledge(id)
                count -= 1
            } else if minIdle <= 0 || now &- element.value.deliveredAt >= minIdle {
                let deliveryCount = element.value.deliveryCount &+ (isJustID ? 0 : 1)
                group.assign(id, to: consumer, deliveredAt: now, deliveryCount: deliveryCount)
                group[consumer].activeAt = now
                count -= 1
            }
            guard let following = id.next else { break }
            next = following
        }
        return .applied
    }

    // MARK: - XREADGROUP

    /// As a client sends it; servers log what it did by other commands.
    func readGroup(_ arguments: CommandArguments) -> CommandOutcome {
        var index = 1
        var count = Int64.max
        var isUnacknowledged = false
        var groupIndex: Int?
        var streamsFrom: Int?
        while index < arguments.count, streamsFrom == nil {
            if arguments.matches(index, "group"), index + 2 < arguments.count {
                groupIndex = index + 1
                index += 3
            } else if arguments.matches(index, "count"), let number = arguments.integer(index + 1) {
                count = number > 0 ? number : .max
                index += 2
            } else if arguments.matches(index, "block"), let time = arguments.integer(index + 1), time >= 0 {
                index += 2
            } else if arguments.matches(index, "noack") {
                isUnacknowledged = true
                index += 1
            } else if arguments.matches(index, "streams") {
                streamsFrom = index + 1
            } else if arguments.matches(index, "claim") {
                // Claims go by idle times, which a log does not have (Redis 8.4).
                return .cannotRun
            } else {
                return .refused
            }
        }
        guard let groupIndex, let streamsFrom, streamsFrom < arguments.count,
            (arguments.count - streamsFrom).isMultiple(of: 2)
        else { return .refused }
        let streamCount = (arguments.count - streamsFrom) / 2
        var reads: [(stream: KeyspaceStream, group: StreamGroup, history: StreamID?)] = []
        for number in 0..<streamCount {
            guard case .value(let stream) = find(arguments[streamsFrom + number], KeyspaceStream.self),
                let group = stream.group(arguments[groupIndex])
            else { return .refused }
            let at = streamsFrom + streamCount + number
            if arguments.isText(at, ">") {
                reads.append((stream, group, nil))
            } else if let id = arguments.streamID(at) {
                reads.append((stream, group, id))
            } else {
                return .refused
            }
        }
        for (stream, group, history) in reads {
            let hasNew = history != nil || stream.topID.map { $0 > group.lastID } == true
            if !hasNew, server?.makesConsumerOnClaim == false { continue }
            let consumer = group.makeConsumer(arguments[groupIndex + 1], seenAt: now)
            group[consumer].seenAt = now
            if let history {
                redeliver(from: history, stream, group, consumer, count: count)
            } else {
                deliver(stream, group, consumer, count: count, isUnacknowledged: isUnacknowledged)
            }
        }
        return .applied
    }

    private func deliver(
        _ stream: KeyspaceStream, _ group: StreamGroup, _ consumer: StreamGroup.ConsumerNumber, count: Int64,
        isUnacknowledged: Bool
    ) {
        var left = count
        while left > 0, let id = stream.id(after: group.lastID) {
            left -= 1
            if let read = group.entriesRead, !stream.hasGap(from: group.lastID) {
                group.entriesRead = read &+ 1
            } else if stream.entriesAdded > 0 {
                group.entriesRead = stream.countAdded(upTo: id)
            }
            group.lastID = id
            if !isUnacknowledged {
                group.assign(id, to: consumer, deliveredAt: now, deliveryCount: 1)
                group[consumer].activeAt = now
            }
        }
    }

    /// What the consumer has pending behind an ID is delivered once more.
    private func redeliver(
        from id: StreamID, _ stream: KeyspaceStream, _ group: StreamGroup, _ consumer: StreamGroup.ConsumerNumber,
        count: Int64
    ) {
        var left = count
        var next = id.next
        while left > 0, let start = next, let element = group.pending.first(from: start) {
            next = element.key.next
            guard element.value.owner == consumer else { continue }
            left -= 1
            guard stream.contains(element.key) else { continue }
            group.assign(
                element.key, to: consumer, deliveredAt: now, deliveryCount: element.value.deliveryCount &+ 1)
        }
    }
}

/// The IDs and options of XCLAIM: the options begin with the first argument that is no ID.
private struct ClaimOptions {
    var ids: [StreamID] = []
    /// Milliseconds.
    var minIdle: Int64
    var deliveredAt: Int64
    var retryCount: UInt64?
    var isForced = false
    var isJustID = false
    var lastID = StreamID.zero

    init?(_ arguments: CommandArguments, now: Int64) {
        guard let idle = arguments.integer(4) else { return nil }
        minIdle = idle
        deliveredAt = now
        var index = 5
        while index < arguments.count, let id = arguments.streamID(index) {
            ids.append(id)
            index += 1
        }
        var time: Int64 = -1
        while index < arguments.count {
            if arguments.matches(index, "force") {
                isForced = true
                index += 1
                continue
            }
            if arguments.matches(index, "justid") {
                isJustID = true
                index += 1
                continue
            }
            if arguments.matches(index, "lastid") {
                guard let id = arguments.streamID(index + 1) else { return nil }
                lastID = id
            } else {
                guard let number = arguments.integer(index + 1) else { return nil }
                if arguments.matches(index, "time") {
                    time = number
                } else if arguments.matches(index, "idle") {
                    time = now &- number
                } else if arguments.matches(index, "retrycount") {
                    retryCount = number >= 0 ? UInt64(number) : nil
                } else {
                    return nil
                }
            }
            index += 2
        }
        // A time that cannot be is taken for the present one.
        if time >= 0, time <= now { deliveredAt = time }
    }
}
