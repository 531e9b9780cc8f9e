public import RDBModel

/// How the keys of two inputs compare, in numbers.
public struct KeyCounts: Equatable, Sendable {
    public var same: UInt64 = 0
    public var onlyA: UInt64 = 0
    public var onlyB: UInt64 = 0
    public var different: UInt64 = 0

    public init() {}

    public var isSame: Bool { onlyA == 0 && onlyB == 0 && different == 0 }

    public static func += (left: inout KeyCounts, right: KeyCounts) {
        left.same += right.same
        left.onlyA += right.onlyA
        left.onlyB += right.onlyB
        left.different += right.different
    }
}

/// The same by database and type. A key whose type or database changed counts where side A has it.
///
/// Memory: for 65536 databases at most.
public struct ComparisonCounts: Sendable {
    public struct Place: Hashable, Comparable, Sendable {
        public var database: UInt64
        public var type: ValueType

        public init(database: UInt64, type: ValueType) {
            self.database = database
            self.type = type
        }

        public static func < (left: Place, right: Place) -> Bool {
            left.database != right.database
                ? left.database < right.database
                : EntryDigest.number(of: left.type) < EntryDigest.number(of: right.type)
        }
    }

    /// Configurations have 16; a made file could have as many as it has bytes.
    public static let maxDatabases = 1 << 16

    private var places: [Place: KeyCounts] = [:]
    // Of the place before, not in `places` yet.
    private var present = KeyCounts()
    private var presentPlace = Place(database: 0, type: .string)
    /// There were more: what they hold is counted in the total only.
    public private(set) var hasTooManyDatabases = false
    private var settled = KeyCounts()

    public init() {}

    public var total: KeyCounts {
        var total = settled
        total += present
        return total
    }

    /// What became of a key.
    public enum Kind: Sendable { case same, onlyA, onlyB, different }

    @inline(__always)
    public mutating func add(database: UInt64, type: ValueType, _ kind: Kind) {
        if database != presentPlace.database || type != presentPlace.type { turn(to: database, type) }
        switch kind {
        case .same: present.same += 1
        case .onlyA: present.onlyA += 1
        case .onlyB: present.onlyB += 1
        case .different: present.different += 1
        }
    }

    @inline(never)
    private mutating func turn(to database: UInt64, _ type: ValueType) {
        put()
        presentPlace = Place(database: database, type: type)
    }

    private mutating func put() {
        defer { present = KeyCounts() }
        settled += present
        if places.count >= Self.maxDatabases, places[presentPlace] == nil {
            hasTooManyDatabases = true
            return
        }
        places[presentPlace, default: KeyCounts()] += present
    }

    public mutating func add(_ other: ComparisonCounts) {
        var other = other
        other.put()
        put()
        settled += other.settled
        for (place, counts) in other.places {
            if places.count >= Self.maxDatabases, places[place] == nil {
                hasTooManyDatabases = true
                continue
            }
            places[place, default: KeyCounts()] += counts
        }
        if other.hasTooManyDatabases { hasTooManyDatabases = true }
    }

    /// Adds the keys that are the same in `other` and were not counted as that in `part`, some of its keys.
    public mutating func add(_ other: ComparisonCounts, without part: ComparisonCounts) {
        var (other, part) = (other, part)
        part.put()
        other.put()
        for (place, counts) in part.places {
            // What of so many databases was left out in one of the two need not be in the other.
            guard var rest = other.places[place], rest.same >= counts.same else { continue }
            rest.same -= counts.same
            other.places[place] = rest
        }
        other.settled.same -= min(other.settled.same, part.settled.same)
        add(other)
    }

    /// Takes back one key that was counted as different and is not.
    public mutating func correct(database: UInt64, type: ValueType) {
        put()
        let place = Place(database: database, type: type)
        settled.different -= 1
        settled.same += 1
        guard var counts = places[place], counts.different > 0 else { return }
        counts.different -= 1
        counts.same += 1
        places[place] = counts
    }

    /// Ascending by database and type, those that have keys.
    public var byPlace: [(place: Place, counts: KeyCounts)] {
        var copy = self
        copy.put()
        return copy.places.filter { $0.value != KeyCounts() }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
