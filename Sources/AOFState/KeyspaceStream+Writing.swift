import RDBBytes
import RDBFormat
import RDBModel

// A stream as it stands in a file; RDBReader+Stream.swift shows the layout.
extension KeyspaceStream {
    func layout(_ family: RDBFamily) -> RDBType { family == .redis ? .stream5 : .stream3 }

    /// The newest layout that readers of a version know.
    func layout(in version: RDBVersion) -> RDBType {
        switch (version.family, version.number) {
        case (.redis, 14...): .stream5
        case (.redis, 13): .stream4
        case (.valkey, _), (_, 11...): .stream3
        case (_, 10): .stream2
        default: .stream
        }
    }

    /// The lowest version of a family whose layout has a place for all of it; counters do not count.
    func neededVersion(_ family: RDBFamily) -> Int {
        guard family == .redis else { return 11 }
        var hasUnowned = false
        groups.forEachInOrder { _, group in
            if !group.unowned.isEmpty { hasUnowned = true }
        }
        return hasUnowned ? 14 : idempotence.isDefault ? 9 : 13
    }

    /// - Parameter layout: one of the five. What it has no place for is left out: counters, active times, idempotence,
    ///   and pending entries that nobody owns.
    func append(to out: inout OutputBuffer, as layout: RDBType) {
        let number = layout.neededVersion.redis ?? RDBVersion.newestRedis
        append(to: &out, as: layout, in: RDBVersion(number: number, family: .redis))
    }

    /// - Parameter version: of the file or payload that it is for, whose readers want listpacks in their own form.
    func append(to out: inout OutputBuffer, as layout: RDBType, in version: RDBVersion) {
        let generation = layout.generationOfStream
        var listpack = ListpackWriter(for: version)
        out.append(length: UInt64(nodeCount))
        forEachNode { $0.write(to: &out, &listpack) }
        out.append(length: length)
        out.append(lengths: lastID)
        if generation >= 2 {
            out.append(lengths: firstID)
            out.append(lengths: maxDeletedID)
            out.append(length: entriesAdded)
        }
        out.append(length: UInt64(groups.count))
        groups.forEachInOrder { name, group in
            out.append(text: name)
            group.write(generation, to: &out)
        }
        if generation >= 4 { idempotence.write(to: &out) }
    }
}

extension RDBType {
    fileprivate var generationOfStream: Int {
        switch self {
        case .stream2: 2
        case .stream3: 3
        case .stream4: 4
        case .stream5: 5
        default: 1
        }
    }
}

extension StreamGroup {
    fileprivate func write(_ generation: Int, to out: inout OutputBuffer) {
        out.append(lengths: lastID)
        if generation >= 2 { out.append(length: entriesRead ?? .max) }
        let unowned = unowned
        let keepsUnowned = generation >= 5
        out.append(length: UInt64(keepsUnowned ? pending.count : pending.count - unowned.count))
        pending.visit { element in
            guard keepsUnowned || element.value.owner != nil else { return }
            out.append(bigEndian: element.key)
            out.append(littleEndian: element.value.deliveredAt)
            out.append(length: element.value.deliveryCount)
        }
        let owned = ownedIDs()
        out.append(length: UInt64(consumerCount))
        forEachConsumer { name, number in
            out.append(text: name)
            out.append(littleEndian: self[number].seenAt)
            if generation >= 3 { out.append(littleEndian: self[number].activeAt) }
            let ids = owned[number.index]
            out.append(length: UInt64(ids.count))
            for id in ids { out.append(bigEndian: id) }
        }
        if keepsUnowned {
            out.append(length: UInt64(unowned.count))
            for id in unowned { out.append(bigEndian: id) }
        }
    }
}

extension StreamIdempotence {
    fileprivate func write(to out: inout OutputBuffer) {
        out.append(length: durationSeconds)
        out.append(length: maxEntries)
        out.append(length: UInt64(producers.count))
        producers.forEachInOrder { name, producer in
            out.append(text: name)
            producer.write(to: &out)
        }
        out.append(length: idsAdded)
        out.append(length: idsDuplicate)
    }
}

extension StreamProducer {
    fileprivate func write(to out: inout OutputBuffer) {
        out.append(length: UInt64(entries.count))
        var next = entries.firstIndex
        while let index = next {
            out.append(text: entries.key(at: index))
            out.append(lengths: entries[index])
            next = entries.index(after: index)
        }
    }
}

extension OutputBuffer {
    fileprivate mutating func append(lengths id: StreamID) {
        append(length: id.milliseconds)
        append(length: id.sequence)
    }
}
