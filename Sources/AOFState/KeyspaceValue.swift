import RDBBytes
import RDBFormat

/// What a key holds.
enum KeyspaceValue {
    case string([UInt8])
    case list(ListValue)
    case set(SetValue)
    case sortedSet(SortedSetValue)
    case hash(HashValue)
    case stream(KeyspaceStream)
    case array(KeyspaceArray)
    case pathHash(KeyspacePathHash)
    case opaque(OpaqueValue)

    /// A value of its own with the same content.
    func copy() -> KeyspaceValue {
        switch self {
        case .string, .opaque: self
        case .list(let value): .list(value.copy())
        case .set(let value): .set(value.copy())
        case .sortedSet(let value): .sortedSet(value.copy())
        case .hash(let value): .hash(value.copy())
        case .stream(let value): .stream(value.copy())
        case .array(let value): .array(value.copy())
        case .pathHash(let value): .pathHash(value.copy())
        }
    }
}

/// A value that is carried and never changed: of a module, or of a type that no command here works on.
struct OpaqueValue {
    /// Of the layout, as in the file that it comes from.
    var typeByte: UInt8
    /// Whose numbers the layout uses.
    var version: RDBVersion
    /// As they stand behind the key.
    var bytes: [UInt8]
}
