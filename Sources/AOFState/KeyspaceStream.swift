import RDBBytes
import RDBFormat
import RDBModel

/// A stream with its consumer groups.
final class KeyspaceStream: StoredValue {
    init() {}

    var isEmpty: Bool { true }

    func copy() -> Self { fatalError("not there yet") }

    func layout(_ family: RDBFamily) -> RDBType { fatalError("not there yet") }

    func append(to out: inout OutputBuffer, as layout: RDBType) { fatalError("not there yet") }

    var keyspaceValue: KeyspaceValue { .stream(self) }

    static func from(_ value: KeyspaceValue) -> KeyspaceStream? {
        if case .stream(let value) = value { value } else { nil }
    }
}

struct StreamLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = KeyspaceStream()

    var value: KeyspaceValue { .stream(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {}
}
