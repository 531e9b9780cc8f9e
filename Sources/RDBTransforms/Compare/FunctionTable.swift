public import RDBBytes
public import RDBModel

/// The function libraries of two inputs.
public struct FunctionTable: Sendable {
    public struct Library: Hashable, Comparable, Sendable {
        public var name: String
        public var engine: String

        public init(_ library: FunctionLibrary) {
            name = library.name
            engine = library.engine
        }

        public static func < (left: Library, right: Library) -> Bool {
            left.name != right.name ? left.name < right.name : left.engine < right.engine
        }
    }

    public enum Change: Sendable { case onlyA, onlyB, different }

    /// Servers hold a few; a made file could have as many as it has bytes.
    public static let maxCount = 1 << 16

    private var libraries: [[Library: Digest128]] = [[:], [:]]
    public private(set) var hasTooMany = false

    public init() {}

    public mutating func add(_ library: FunctionLibrary, _ digest: Digest128, _ side: Side) {
        let name = Library(library)
        if libraries[side.rawValue].count >= Self.maxCount, libraries[side.rawValue][name] == nil {
            hasTooMany = true
            return
        }
        libraries[side.rawValue][name] = digest
    }

    public var sameCount: UInt64 {
        UInt64(libraries[0].filter { libraries[1][$0.key] == $0.value }.count)
    }

    /// By name.
    public var changes: [(library: Library, change: Change)] {
        Set(libraries[0].keys).union(libraries[1].keys).sorted().compactMap { name in
            switch (libraries[0][name], libraries[1][name]) {
            case (_?, nil): (name, .onlyA)
            case (nil, _?): (name, .onlyB)
            case (let a, let b): a == b ? nil : (name, .different)
            }
        }
    }
}
