public import RDBModel

/// A release of a server whose structures in memory the model knows. Other releases are taken for the nearest.
public enum ServerModel: String, Sendable, CaseIterable {
    case redis62 = "redis-6.2"
    case redis70 = "redis-7.0"
    case redis82 = "redis-8.2"
    case valkey81 = "valkey-8.1"
    case valkey91 = "valkey-9.1"

    public var name: String { rawValue }

    /// The nearest to a release: the newest listed one of its family that is not newer, else the oldest.
    /// Redis 7.2 and 7.4, and Valkey before 8.1, keep keys as Redis 7.0 does.
    public static func nearest(isValkey: Bool, major: Int, minor: Int) -> ServerModel {
        if isValkey { return (major, minor) < (8, 1) ? .redis70 : (major, minor) < (9, 0) ? .valkey81 : .valkey91 }
        return (major, minor) < (7, 0) ? .redis62 : (major, minor) < (8, 0) ? .redis70 : .redis82
    }

    /// The nearest to a release by its name, `redis-7.2` or `valkey-9.0.1`; nil where that is no name of one.
    public init?(named name: String) {
        let words = name.split(separator: "-", maxSplits: 1)
        guard words.count == 2, let model = Self.nearest(isValkey: words[0] == "valkey", version: words[1]),
            words[0] == "valkey" || words[0] == "redis"
        else { return nil }
        self = model
    }

    private static func nearest(isValkey: Bool, version: Substring) -> ServerModel? {
        let numbers = version.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = numbers.first, let major = first, major >= 0 else { return nil }
        return nearest(isValkey: isValkey, major: major, minor: numbers.count > 1 ? numbers[1] ?? 0 : 0)
    }

    /// The writer that a file names in its aux fields (`redis-ver`, `valkey-ver`), nil where it names none.
    public static func writer(_ fields: some Sequence<AuxField>) -> ServerModel? {
        for field in fields {
            switch field.name.text {
            case "valkey-ver": return nearest(isValkey: true, version: field.value.text[...])
            case "redis-ver": return nearest(isValkey: false, version: field.value.text[...])
            default: continue
            }
        }
        return nil
    }
}

/// How a server keeps a value, as OBJECT ENCODING names it.
public enum ServerEncoding: String, Sendable, CaseIterable {
    case int, embstr, raw
    case ziplist, listpack, quicklist
    case listpackex
    case intset, hashtable, skiplist
    case stream, module
    /// Types that none of the listed releases has.
    case unknown

    public var name: String { rawValue }
}
