import RDBBytes
import RDBFormat
import RDBModel

/// An array (Redis 8.8).
final class KeyspaceArray: StoredValue {
    init() {}

    var isEmpty: Bool { true }

    func copy() -> Self { fatalError("not there yet") }

    func layout(_ family: RDBFamily) -> RDBType { fatalError("not there yet") }

    func append(to out: inout OutputBuffer, as layout: RDBType) { fatalError("not there yet") }

    var keyspaceValue: KeyspaceValue { .array(self) }

    static func from(_ value: KeyspaceValue) -> KeyspaceArray? {
        if case .array(let value) = value { value } else { nil }
    }
}

struct ArrayLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = KeyspaceArray()

    var value: KeyspaceValue { .array(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {}
}
