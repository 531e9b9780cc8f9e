/// One thing that is not as it should be.
package struct Difference: Sendable, CustomStringConvertible {
    package let name: CanonicalEntry.Name
    /// Where in the entry, such as `value.groups[0].pending[3].deliveries`.
    package let path: String
    package let expected: String
    package let found: String

    package var description: String { "\(name): \(path): expected \(expected), found \(found)" }
}

/// Compares what should be there with what was found.
package struct Comparison {
    /// Which orders a sorted set's members may come in.
    package enum SortedSetOrder: Sendable {
        /// By score or the reverse of it: since Redis 4, files hold them in one of these.
        case byScore
        /// Older servers wrote them as they lay in a hash table.
        case any
    }

    private let order: SortedSetOrder
    private var name = CanonicalEntry.Name(database: 0, key: [])
    private var differences: [Difference] = []

    /// All differences, by database and key.
    ///
    /// - Parameters:
    ///   - expected: the truth. What it does not know (nil) is not compared where noted below.
    ///   - found: in any order.
    package static func differences(
        expected: [CanonicalEntry], found: [CanonicalEntry], order: SortedSetOrder = .byScore
    ) -> [Difference] {
        var comparison = Comparison(order: order)
        comparison.compare(expected, found)
        return comparison.differences
    }

    private init(order: SortedSetOrder) {
        self.order = order
    }

    private mutating func compare(_ expected: [CanonicalEntry], _ found: [CanonicalEntry]) {
        var remaining: [CanonicalEntry.Name: CanonicalEntry] = [:]
        for entry in found where remaining.updateValue(entry, forKey: entry.name) != nil {
            name = entry.name
            note("entry", expected: "once", found: "twice")
        }
        for entry in expected.sorted(by: { $0.name < $1.name }) {
            name = entry.name
            if let match = remaining.removeValue(forKey: entry.name) {
                compare(entry, match)
            } else {
                note("entry", expected: "a \(kind(of: entry.value))", found: "nothing")
            }
        }
        for entry in remaining.values.sorted(by: { $0.name < $1.name }) {
            name = entry.name
            note("entry", expected: "nothing", found: "a \(kind(of: entry.value))")
        }
    }

    private mutating func note(_ path: String, expected: String, found: String) {
        differences.append(Difference(name: name, path: path, expected: expected, found: found))
    }

    /// Notes a difference unless the two are equal.
    mutating func expect<Fact: Equatable>(_ path: String, _ expected: Fact, _ found: Fact) {
        if expected != found { note(path, expected: show(expected), found: show(found)) }
    }

    private func show<Fact>(_ fact: Fact) -> String {
        switch fact {
        case let bytes as Bytes: bytes.quoted
        case let bytes as Bytes?: bytes?.quoted ?? "nothing"
        case let value as any CustomStringConvertible: value.description
        default: String(describing: fact)
        }
    }

    // MARK: Entries

    private func kind(of value: CanonicalEntry.Value) -> String {
        switch value {
        case .string: "string"
        case .list: "list"
        case .set: "set"
        case .sortedSet: "sorted set"
        case .hash: "hash"
        case .stream: "stream"
        case .array: "array"
        case .module(let name): "module value of \(name)"
        }
    }

    private mutating func compare(_ expected: CanonicalEntry, _ found: CanonicalEntry) {
        expectOverlap("expires_at_ms", expected.expiresAt, found.expiresAt)
        expectOverlap("idle_seconds", expected.idleSeconds, found.idleSeconds)
        expectOverlap("lfu_freq", expected.frequency, found.frequency)
        // A recorded truth does not know the encoding.
        if let encodings = expected.encodings, let encoding = found.encodings, !encodings.isSuperset(of: encoding) {
            note("encoding", expected: encodings.sorted().joined(separator: " or "), found: "\(encoding.sorted())")
        }
        expectTable("field_expires_at_ms", expected.fieldExpiries, found.fieldExpiries)
        switch (expected.value, found.value) {
        case (.string(let expected), .string(let found)):
            expectBytes("value", expected, found)
        case (.list(let expected), .list(let found)):
            expectList("value", expected, found)
        case (.set(let expected), .set(let found)):
            if expected == found { return }
            let table = { (set: Set<Bytes>) in Dictionary(uniqueKeysWithValues: set.map { ($0, true) }) }
            expectTable("value", table(expected), table(found))
        case (.sortedSet(let expected), .sortedSet(let found)):
            expectSortedSet("value", expected, found)
        case (.hash(let expected), .hash(let found)):
            expectTable("value", expected, found)
        case (.stream(let expected), .stream(let found)):
            expectStream("value", expected, found)
        case (.array(let expected), .array(let found)):
            expectList("value.elements", expected.elements, found.elements)
            expect("value.insert_index", expected.insertIndex, found.insertIndex)
        case (.module(let expected), .module(let found)):
            expect("value.module", expected, found)
        default:
            note("type", expected: kind(of: expected.value), found: kind(of: found.value))
        }
    }

    /// The found number must lie in the range that the truth allows; one found on a server may be a
    /// range, too.
    private mutating func expectOverlap(_ path: String, _ expected: ClosedRange<Int64>?, _ found: ClosedRange<Int64>?) {
        switch (expected, found) {
        case (nil, nil): break
        case (let expected?, let found?) where expected.overlaps(found): break
        default: note(path, expected: show(expected), found: show(found))
        }
    }

    private func show(_ range: ClosedRange<Int64>?) -> String {
        guard let range else { return "nothing" }
        return range.count == 1 ? "\(range.lowerBound)" : "\(range)"
    }

    // MARK: Parts

    private mutating func expectBytes(_ path: String, _ expected: Bytes, _ found: Bytes) {
        guard expected != found else { return }
        let index = zip(expected, found).enumerated().first { $1.0 != $1.1 }?.offset
        let place = index ?? min(expected.count, found.count)
        let shown = { (bytes: Bytes) in
            "\(bytes.quoted), from byte \(place) \(Bytes(bytes.dropFirst(place).prefix(24)).quoted)"
        }
        note(path, expected: shown(expected), found: shown(found))
    }

    /// Notes the first element that differs, and the counts if they do.
    mutating func expectList<Element: Equatable>(_ path: String, _ expected: [Element], _ found: [Element]) {
        if expected == found { return }
        expect("\(path).count", expected.count, found.count)
        for (index, pair) in zip(expected, found).enumerated() where pair.0 != pair.1 {
            if let expected = pair.0 as? Bytes, let found = pair.1 as? Bytes {
                expectBytes("\(path)[\(index)]", expected, found)
            } else {
                expect("\(path)[\(index)]", pair.0, pair.1)
            }
            return
        }
    }

    /// Notes one missing name, one too many and one with another value.
    private mutating func expectTable<Value: Equatable>(
        _ path: String, _ expected: [Bytes: Value], _ found: [Bytes: Value]
    ) {
        if expected == found { return }
        expect("\(path).count", expected.count, found.count)
        let names = expected.keys.sorted { $0.precedes($1) }
        if let missing = names.first(where: { found[$0] == nil }) {
            note("\(path)[\(missing.quoted)]", expected: show(expected[missing]), found: "nothing")
        }
        if let extra = found.keys.sorted(by: { $0.precedes($1) }).first(where: { expected[$0] == nil }) {
            note("\(path)[\(extra.quoted)]", expected: "nothing", found: show(found[extra]))
        }
        if let other = names.first(where: { found[$0] != nil && found[$0] != expected[$0] }) {
            note("\(path)[\(other.quoted)]", expected: show(expected[other]), found: show(found[other]))
        }
    }

    private mutating func expectSortedSet(_ path: String, _ expected: [ScoredMember], _ found: [ScoredMember]) {
        if expected == found { return }
        switch order {
        case .byScore where found.first == expected.last: expectList(path, expected.reversed(), found)
        case .byScore: expectList(path, expected, found)
        case .any: expectList(path, sorted(expected), sorted(found))
        }
    }

    private func sorted(_ members: [ScoredMember]) -> [ScoredMember] {
        members.sorted { $0.score != $1.score ? $0.score < $1.score : $0.member.precedes($1.member) }
    }
}
