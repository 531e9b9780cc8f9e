import RDBBytes
import RDBFormat
import RDBModel

/// A sorted set.
final class SortedSetValue: StoredValue {
    init() {}

    var isEmpty: Bool { true }

    func copy() -> Self { fatalError("not there yet") }

    func layout(_ family: RDBFamily) -> RDBType { fatalError("not there yet") }

    func append(to out: inout OutputBuffer, as layout: RDBType) { fatalError("not there yet") }

    var keyspaceValue: KeyspaceValue { .sortedSet(self) }

    static func from(_ value: KeyspaceValue) -> SortedSetValue? {
        if case .sortedSet(let value) = value { value } else { nil }
    }
}

struct SortedSetLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = SortedSetValue()

    var value: KeyspaceValue { .sortedSet(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {}
}
