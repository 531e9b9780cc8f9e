import RDBBytes
import RDBFormat
import RDBModel

/// A set.
final class SetValue: StoredValue {
    init() {}

    var isEmpty: Bool { true }

    func copy() -> Self { fatalError("not there yet") }

    func layout(_ family: RDBFamily) -> RDBType { fatalError("not there yet") }

    func append(to out: inout OutputBuffer, as layout: RDBType) { fatalError("not there yet") }

    var keyspaceValue: KeyspaceValue { .set(self) }

    static func from(_ value: KeyspaceValue) -> SetValue? {
        if case .set(let value) = value { value } else { nil }
    }
}

struct SetLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = SetValue()

    var value: KeyspaceValue { .set(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {}
}
