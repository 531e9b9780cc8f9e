import RDBBytes
import RDBFormat
import RDBModel
import RESPFormat

/// Commands on streams.
enum StreamCommand: String, CaseIterable {
    case xadd = "XADD"
    case xtrim = "XTRIM"
    case xdel = "XDEL"
    case xdelex = "XDELEX"
    case xackdel = "XACKDEL"
    case xsetid = "XSETID"
    case xgroup = "XGROUP"
    case xack = "XACK"
    case xclaim = "XCLAIM"
    case xautoclaim = "XAUTOCLAIM"
    case xreadgroup = "XREADGROUP"
    case xnack = "XNACK"
    case xcfgset = "XCFGSET"
    case xidmprecord = "XIDMPRECORD"

    /// The fewest arguments that servers take, the name included.
    fileprivate var minArgumentCount: Int {
        switch self {
        case .xgroup: 2
        case .xdel, .xsetid, .xtrim: 3
        case .xack, .xcfgset: 4
        case .xadd, .xdelex, .xidmprecord: 5
        case .xackdel, .xclaim, .xautoclaim: 6
        case .xnack, .xreadgroup: 7
        }
    }
}

// Entries and settings; what concerns consumer groups is in CommandRunner+StreamGroups.swift.
// Source: redis/redis src/t_stream.c; formats/commands.md §C.12, formats/newest.md §10.4.
extension CommandRunner {
    mutating func run(_ command: StreamCommand, _ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= command.minArgumentCount else { return .wrongArgumentCount }
        switch command {
        case .xadd: return addEntry(arguments)
        case .xtrim: return trimStream(arguments)
        case .xdel: return deleteEntries(arguments)
        case .xdelex: return deleteEntriesByPolicy(arguments)
        case .xackdel: return acknowledgeAndDelete(arguments)
        case .xsetid: return setStreamID(arguments)
        case .xcfgset: return configureIdempotence(arguments)
        case .xidmprecord: return recordIdempotent(arguments)
        case .xgroup: return changeGroup(arguments)
        case .xack: return acknowledge(arguments)
        case .xclaim: return claim(arguments)
        case .xautoclaim: return claimIdle(arguments)
        case .xreadgroup: return readGroup(arguments)
        case .xnack: return giveBack(arguments)
        }
    }

    // MARK: - XADD

    private mutating func addEntry(_ arguments: CommandArguments) -> CommandOutcome {
        guard let options = StreamOptions(arguments, isXADD: true), let entryID = options.entryID else {
            return .refused
        }
        let fieldsFrom = options.entryIDIndex + 1
        let textCount = arguments.count - fieldsFrom
        guard textCount >= 2, textCount.isMultiple(of: 2) else { return .wrongArgumentCount }
        let existing: KeyspaceStream?
        switch find(arguments[1], KeyspaceStream.self) {
        case .wrongType: return .refused
        case .missing:
            if !options.makesStream { return .applied }
            existing = nil
        case .value(let stream): existing = stream
        }
        if options.producerIndex != nil, case .next = entryID {
            // A duplicate: servers log it as it came. Source: formats/newest.md §10.4.
            guard let existing else { return .refused }
            existing.idempotence.idsDuplicate &+= 1
            return .applied
        }
        // Of a missing stream the same holds as of an empty one.
        guard let id = entryID.following(existing?.lastID ?? .zero, now: now), id > existing?.lastID ?? .zero else {
            return .refused
        }
        streamDraft.fields.begin()
        for index in stride(from: fieldsFrom, to: arguments.count, by: 2) {
            streamDraft.fields.append(name: arguments[index])
            streamDraft.fields.append(value: arguments[index + 1])
        }
        guard streamDraft.fields.byteCount <= StreamFields.maxByteCount,
            let stream = existing ?? findOrCreate(arguments[1], KeyspaceStream.self), stream.append(id, streamDraft.fields)
        else { return .refused }
        if let producer = options.producerIndex { note(id, of: producer, options, arguments, in: stream) }
        if let limit = options.limit {
            stream.trim(to: limit, isApproximate: options.isApproximate, options.policy)
        }
        return .applied
    }

    private mutating func note(
        _ id: StreamID, of producer: Int, _ options: StreamOptions, _ arguments: CommandArguments,
        in stream: KeyspaceStream
    ) {
        stream.idempotence.idsAdded &+= 1
        if let index = options.producerEntryIndex {
            stream.idempotence.record(producer: arguments[producer], arguments[index], id)
        } else {
            let digest = IdempotentID.digest(streamDraft.fields)
            stream.idempotence.record(producer: arguments[producer], digest.rawSpan, id)
        }
    }

    // MARK: - Removing entries

    private func trimStream(_ arguments: CommandArguments) -> CommandOutcome {
        guard let options = StreamOptions(arguments, isXADD: false), let limit = options.limit else {
            return .refused
        }
        switch find(arguments[1], KeyspaceStream.self) {
        case .wrongType: return .refused
        case .missing: return .applied
        case .value(let stream):
            stream.trim(to: limit, isApproximate: options.isApproximate, options.policy)
            return .applied
        }
    }

    private func deleteEntries(_ arguments: CommandArguments) -> CommandOutcome {
        switch find(arguments[1], KeyspaceStream.self) {
        case .wrongType: return .refused
        case .missing: return .applied
        case .value(let stream):
            guard let ids = arguments.streamIDs(2..<arguments.count) else { return .refused }
            for id in ids { stream.delete(id) }
            return .applied
        }
    }

    private func deleteEntriesByPolicy(_ arguments: CommandArguments) -> CommandOutcome {
        guard let (policy, ids) = policyAndIDs(arguments, from: 2) else { return .refused }
        switch find(arguments[1], KeyspaceStream.self) {
        case .wrongType: return .refused
        case .missing: return .applied
        case .value(let stream):
            for id in ids { stream.delete(id, policy) }
            return .applied
        }
    }

    private func acknowledgeAndDelete(_ arguments: CommandArguments) -> CommandOutcome {
        guard let (policy, ids) = policyAndIDs(arguments, from: 3) else { return .refused }
        switch find(arguments[1], KeyspaceStream.self) {
        case .wrongType: return .refused
        case .missing: return .applied
        case .value(let stream):
            guard let group = stream.group(arguments[2]) else { return .applied }
            for id in ids where group.acknowledge(id) { stream.delete(id, policy) }
            return .applied
        }
    }

    /// `[KEEPREF|DELREF|ACKED] IDS n id…` in either order.
    private func policyAndIDs(
        _ arguments: CommandArguments, from start: Int
    ) -> (KeyspaceStream.ReferencePolicy, [StreamID])? {
        var policy = KeyspaceStream.ReferencePolicy.keep
        var ids: [StreamID]?
        var index = start
        while index < arguments.count {
            if let found = arguments.referencePolicy(index) {
                policy = found
                index += 1
            } else if ids == nil, let range = arguments.idRange(index) {
                guard let found = arguments.streamIDs(range) else { return nil }
                ids = found
                index = range.upperBound
            } else {
                return nil
            }
        }
        return ids.map { (policy, $0) }
    }

    // MARK: - Settings

    private func setStreamID(_ arguments: CommandArguments) -> CommandOutcome {
        guard let id = arguments.streamID(2) else { return .refused }
        var entriesAdded: UInt64?
        var maxDeletedID: StreamID?
        var index = 3
        while index < arguments.count {
            if arguments.matches(index, "entriesadded"), let count = arguments.integer(index + 1), count >= 0 {
                entriesAdded = UInt64(count)
            } else if arguments.matches(index, "maxdeletedid"), let deleted = arguments.streamID(index + 1),
                deleted <= id
            {
                maxDeletedID = deleted == .zero ? nil : deleted
            } else {
                return .refused
            }
            index += 2
        }
        guard case .value(let stream) = find(arguments[1], KeyspaceStream.self) else { return .refused }
        if id < stream.maxDeletedID, server?.comparesDeletedIDInXSETID != false { return .refused }
        if let top = stream.topID {
            if id < top { return .refused }
            if let entriesAdded, entriesAdded < stream.length { return .refused }
        }
        stream.set(lastID: id, entriesAdded: entriesAdded, maxDeletedID: maxDeletedID)
        return .applied
    }

    private func configureIdempotence(_ arguments: CommandArguments) -> CommandOutcome {
        var duration: UInt64?
        var count: UInt64?
        var index = 2
        while index < arguments.count {
            guard let value = arguments.integer(index + 1) else { return .refused }
            if arguments.matches(index, "idmp-duration"), StreamIdempotence.durations ~= value {
                duration = UInt64(value)
            } else if arguments.matches(index, "idmp-maxsize"), StreamIdempotence.counts ~= value {
                count = UInt64(value)
            } else {
                return .refused
            }
            index += 2
        }
        guard case .value(let stream) = find(arguments[1], KeyspaceStream.self) else { return .refused }
        stream.idempotence.configure(durationSeconds: duration, maxEntries: count)
        return .applied
    }

    private func recordIdempotent(_ arguments: CommandArguments) -> CommandOutcome {
        guard let id = arguments.streamID(4), case .value(let stream) = find(arguments[1], KeyspaceStream.self),
            stream.contains(id)
        else { return .refused }
        stream.idempotence.record(producer: arguments[2], arguments[3], id)
        return .applied
    }
}

extension StreamOptions.EntryID {
    /// The ID that an entry gets behind the last one; nil where there is none.
    fileprivate func following(_ last: StreamID, now: Int64) -> StreamID? {
        switch self {
        case .exact(let id): return id
        case .next:
            let time = UInt64(max(0, now))
            return time > last.milliseconds ? StreamID(milliseconds: time, sequence: 0) : last.next
        case .nextWithin(let milliseconds):
            if milliseconds != last.milliseconds { return StreamID(milliseconds: milliseconds, sequence: 0) }
            return last.sequence < .max ? last.next : nil
        }
    }
}

extension KeyspaceStream {
    func group(_ name: RawSpan) -> StreamGroup? { groups.find(name).map { groups[$0] } }

    /// XDELEX: references to entries that are gone already go as well.
    fileprivate func delete(_ id: StreamID, _ policy: ReferencePolicy) {
        if policy == .acknowledged, isReferenced(id) { return }
        delete(id)
        if policy == .delete { removeReferences(to: id) }
    }
}

extension CommandArguments {
    /// Of `IDS n id…` at an index, where the IDs stand.
    func idRange(_ index: Int) -> Range<Int>? {
        guard matches(index, "ids"), let count = integer(index + 1), count > 0, count <= Int64(self.count - index - 2)
        else { return nil }
        return index + 2..<index + 2 + Int(count)
    }
}
