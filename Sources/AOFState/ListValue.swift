import RDBBytes
import RDBFormat
import RDBModel

/// A list.
final class ListValue: StoredValue {
    init() {}

    var isEmpty: Bool { true }

    func copy() -> Self { fatalError("not there yet") }

    func layout(_ family: RDBFamily) -> RDBType { fatalError("not there yet") }

    func append(to out: inout OutputBuffer, as layout: RDBType) { fatalError("not there yet") }

    var keyspaceValue: KeyspaceValue { .list(self) }

    static func from(_ value: KeyspaceValue) -> ListValue? {
        if case .list(let value) = value { value } else { nil }
    }
}

struct ListLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = ListValue()

    var value: KeyspaceValue { .list(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {}
}
