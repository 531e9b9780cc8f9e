import RDBModel

/// Finds out, while a value is read, what decides how it can be carried.
public struct ValueProbe: ValueVisitor {
    public private(set) var isEmpty = true
    /// Of a module's value.
    public private(set) var module: ModuleID?

    public init() {}

    public mutating func text(_ bytes: RawSpan, as role: TextRole) { isEmpty = false }
    public mutating func integer(_ value: Int64, as role: TextRole) { isEmpty = false }
    public mutating func beginLargeText(byteCount: UInt64, as role: TextRole) { isEmpty = false }
    public mutating func module(_ id: ModuleID) { module = id }

    /// A collection without elements, which no server keeps.
    func isEmptyCollection(_ type: ValueType) -> Bool {
        switch type {
        case .list, .set, .zset, .hash, .array: isEmpty
        default: false
        }
    }
}

extension ModuleID {
    /// Vector sets are a module's values even where they are built in.
    var isVectorSet: Bool { name == "vectorset" }
}
