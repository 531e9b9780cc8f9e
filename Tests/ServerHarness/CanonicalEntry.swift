/// One key with its value, in a form that both sides can be brought into: what a server answers over
/// the wire and what `rdbkit json` writes.
package struct CanonicalEntry: Sendable {
    /// The database and the key.
    package struct Name: Hashable, Sendable, Comparable, CustomStringConvertible {
        package var database: Int
        package var key: Bytes

        package init(database: Int, key: Bytes) {
            self.database = database
            self.key = key
        }

        package static func < (left: Name, right: Name) -> Bool {
            left.database != right.database ? left.database < right.database : left.key.precedes(right.key)
        }

        package var description: String { "db \(database), key \(key.quoted)" }
    }

    package enum Value: Sendable {
        case string(Bytes)
        case list([Bytes])
        case set(Set<Bytes>)
        /// In the order of the answer or of the file.
        case sortedSet([ScoredMember])
        case hash([Bytes: Bytes])
        case stream(CanonicalStream)
        case array(CanonicalArray)
        /// A module's value: only its name is compared.
        case module(String)
    }

    package var name: Name
    package var value: Value
    /// The stored encoding. Of a file, one name; of a server, every name that fits its answer.
    package var encodings: Set<String>?
    /// Unix milliseconds. A server without `PEXPIRETIME` leaves some doubt, hence the range.
    package var expiresAt: ClosedRange<Int64>?
    package var idleSeconds: ClosedRange<Int64>?
    package var frequency: ClosedRange<Int64>?
    /// Unix milliseconds by hash field.
    package var fieldExpiries: [Bytes: Int64] = [:]

    package init(name: Name, value: Value) {
        self.name = name
        self.value = value
    }
}

package struct ScoredMember: Hashable, Sendable, CustomStringConvertible {
    package var member: Bytes
    package var score: Double

    package init(member: Bytes, score: Double) {
        self.member = member
        self.score = score
    }

    /// Equal bit for bit: -0 is not 0.
    package static func == (left: ScoredMember, right: ScoredMember) -> Bool {
        left.member == right.member && left.score.bitPattern == right.score.bitPattern
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(member)
        hasher.combine(score.bitPattern)
    }

    package var description: String { "\(member.quoted) at \(score)" }
}

/// A sparse array, a type of Redis 8.8.
package struct CanonicalArray: Sendable, Equatable {
    package struct Element: Sendable, Equatable {
        package var index: UInt64
        package var value: Bytes

        package init(index: UInt64, value: Bytes) {
            self.index = index
            self.value = value
        }
    }

    package var elements: [Element]
    package var insertIndex: UInt64?

    package init(elements: [Element], insertIndex: UInt64? = nil) {
        self.elements = elements
        self.insertIndex = insertIndex
    }
}
