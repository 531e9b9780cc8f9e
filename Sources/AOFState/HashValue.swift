import RDBBytes
import RDBFormat
import RDBModel

/// A hash, with the expiries of its fields.
final class HashValue: StoredValue {
    init() {}

    var isEmpty: Bool { true }

    func copy() -> Self { fatalError("not there yet") }

    func layout(_ family: RDBFamily) -> RDBType { fatalError("not there yet") }

    func append(to out: inout OutputBuffer, as layout: RDBType) { fatalError("not there yet") }

    var keyspaceValue: KeyspaceValue { .hash(self) }

    static func from(_ value: KeyspaceValue) -> HashValue? {
        if case .hash(let value) = value { value } else { nil }
    }
}

struct HashLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = HashValue()

    var value: KeyspaceValue { .hash(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {}
}
