import RDBBytes
import RDBFormat
import RDBModel

/// A path hash (Valkey 9.2) as commands change it: a small hash for each path. It may be without paths.
///
/// Source: formats/newest.md §5.2, §11.3.
final class KeyspacePathHash: StoredValue {
    private var paths = OrderedMap<Path, Fields>()

    private struct Path: Comparable {
        let bytes: [UInt8]
        init(_ bytes: RawSpan) { self.bytes = bytes.array }
        static func < (left: Path, right: Path) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
    }

    private final class Fields {
        var values = ByteTable<[UInt8]>()

        func write(to out: inout OutputBuffer) {
            out.append(length: UInt64(values.count))
            var next = values.firstIndex
            while let index = next {
                out.append(text: values.key(at: index))
                let value = values[index]
                out.append(text: value.rawSpan)
                next = values.index(after: index)
            }
        }
    }

    init() {}

    /// The key stays when its last path goes.
    var isEmpty: Bool { false }

    var keyspaceValue: KeyspaceValue { .pathHash(self) }

    static func from(_ value: KeyspaceValue) -> KeyspacePathHash? {
        if case .pathHash(let value) = value { value } else { nil }
    }

    func copy() -> KeyspacePathHash {
        let copy = KeyspacePathHash()
        paths.visit { element in
            let fields = Fields()
            fields.values = element.value.values.copy()
            copy.paths.insert(element.key, fields)
        }
        return copy
    }

    var count: Int { paths.count }

    // MARK: - Fields

    func set(_ path: RawSpan, _ field: RawSpan, _ value: RawSpan) {
        let key = Path(path)
        if let place = paths.find(key) {
            paths[place].values.set(field, value.array)
        } else {
            let fields = Fields()
            fields.values.insert(field, value.array)
            paths.insert(key, fields)
        }
    }

    func contains(_ path: RawSpan, _ field: RawSpan) -> Bool {
        paths.find(Path(path)).map { paths[$0].values.contains(field) } ?? false
    }

    func remove(_ path: RawSpan) {
        if let place = paths.find(Path(path)) { paths.remove(at: place) }
    }

    /// A path that has no field left goes.
    func remove(_ path: RawSpan, _ field: RawSpan) {
        guard let place = paths.find(Path(path)) else { return }
        paths[place].values.remove(field)
        if paths[place].values.isEmpty { paths.remove(at: place) }
    }

    func removeAll(withPrefix prefix: RawSpan) {
        let start = Path(prefix)
        while let element = paths.first(from: start), let place = paths.find(element.key) {
            let path = element.key.bytes
            guard path.rawSpan.hasPrefix(prefix) else { return }
            paths.remove(at: place)
        }
    }

    // MARK: - Writing

    func layout(_ family: RDBFamily) -> RDBType { .pathHash }

    func append(to out: inout OutputBuffer, as layout: RDBType) {
        out.append(length: UInt64(paths.count))
        paths.visit { element in
            let path = element.key.bytes
            out.append(text: path.rawSpan)
            element.value.write(to: &out)
        }
    }
}

struct PathHashLoader: ValueLoader {
    var joined: [UInt8] = []
    private let loaded = KeyspacePathHash()
    private var path: [UInt8] = []
    private var field: [UInt8] = []

    var value: KeyspaceValue { .pathHash(loaded) }

    mutating func text(_ bytes: RawSpan, as role: TextRole) {
        switch role {
        case .path: path = bytes.array
        case .field: field = bytes.array
        default: loaded.set(path.rawSpan, field.rawSpan, bytes)
        }
    }
}
