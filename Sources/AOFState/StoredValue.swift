import RDBBytes
import RDBFormat

/// A value that commands change in place.
protocol StoredValue: AnyObject {
    /// An empty value of the type, as commands find it at a key that is missing.
    init()

    /// Whether the key goes when a command leaves the value so.
    var isEmpty: Bool { get }

    /// A value of its own with the same content.
    func copy() -> Self

    /// The layout in which a server with default limits would keep and save it.
    /// - Parameter family: whose layouts are wanted where they differ.
    func layout(_ family: RDBFamily) -> RDBType

    /// Appends the bytes that stand in an RDB behind the key.
    func append(to out: inout OutputBuffer, as layout: RDBType)

    /// The value in a keyspace's form, and back: nil of another type.
    var keyspaceValue: KeyspaceValue { get }
    static func from(_ value: KeyspaceValue) -> Self?
}
