extension Comparison {
    /// Compares two streams fact by fact, so that the path names the one that is wrong.
    mutating func expectStream(_ path: String, _ expected: CanonicalStream, _ found: CanonicalStream) {
        expect("\(path).length", expected.length, found.length)
        expect("\(path).last_id", expected.lastID, found.lastID)
        expect("\(path).first_id", expected.firstID, found.firstID)
        expect("\(path).max_deleted_id", expected.maxDeletedID, found.maxDeletedID)
        expect("\(path).entries_added", expected.entriesAdded, found.entriesAdded)
        expect("\(path).entries.count", expected.entries.count, found.entries.count)
        let entries = expected.entries == found.entries ? [] : expected.entries
        for (index, pair) in zip(entries, found.entries).enumerated() where pair.0 != pair.1 {
            expect("\(path).entries[\(index)].id", pair.0.id, pair.1.id)
            expectList("\(path).entries[\(index)].fields", pair.0.fields, pair.1.fields)
            break
        }
        expectList("\(path).groups.name", expected.groups.map(\.name), found.groups.map(\.name))
        for (index, pair) in zip(expected.groups, found.groups).enumerated() where pair.0 != pair.1 {
            expectGroup("\(path).groups[\(index)]", pair.0, pair.1)
        }
    }

    private mutating func expectGroup(
        _ path: String, _ expected: CanonicalStream.Group, _ found: CanonicalStream.Group
    ) {
        expect("\(path).last_id", expected.lastID, found.lastID)
        expect("\(path).entries_read", expected.entriesRead, found.entriesRead)
        expect("\(path).pending.count", expected.pending.count, found.pending.count)
        for (index, pair) in zip(expected.pending, found.pending).enumerated() where pair.0 != pair.1 {
            expect("\(path).pending[\(index)].id", pair.0.id, pair.1.id)
            expect("\(path).pending[\(index)].consumer", pair.0.consumer, pair.1.consumer)
            expect("\(path).pending[\(index)].delivered_at_ms", pair.0.deliveredAt, pair.1.deliveredAt)
            expect("\(path).pending[\(index)].deliveries", pair.0.deliveries, pair.1.deliveries)
            break
        }
        expect("\(path).consumers.count", expected.consumers.count, found.consumers.count)
        for (index, pair) in zip(expected.consumers, found.consumers).enumerated() where pair.0 != pair.1 {
            expect("\(path).consumers[\(index)].name", pair.0.name, pair.1.name)
            expect("\(path).consumers[\(index)].seen_at_ms", pair.0.seenAt, pair.1.seenAt)
            expect("\(path).consumers[\(index)].active_at_ms", pair.0.activeAt, pair.1.activeAt)
            break
        }
    }
}
