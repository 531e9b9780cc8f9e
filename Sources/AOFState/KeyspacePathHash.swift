import RDBBytes
import RDBFormat
import RDBModel

/// A path hash (Valkey 9.2).
final class KeyspacePathHash: StoredValue {
    init() {}

    var isEmpty: Bool { true }

    func copy() -> Self { fatalError("not there yet") }

    func layout(_ family: RDBFamily) -> RDBType { fatalError("not there yet") }

    func append(to out: inout OutputBuffer, as layout: RDBType) { fatalError("not there yet") }

    var keyspaceValue: KeyspaceValue { .pathHash(self) }

    static func from(_ value: KeyspaceValue) -> KeyspacePathHash? {
        if case .pathHash(let value) = value { value } else { nil }
    }
}

struct PathHashLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = KeyspacePathHash()

    var value: KeyspaceValue { .pathHash(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {}
}
