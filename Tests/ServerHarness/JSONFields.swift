/// The members of a JSON object by name, and its values as the types of the schema.
package struct JSONFields {
    /// In their order.
    package let names: [String]
    private let values: [String: JSONValue]

    package init(_ json: JSONValue) throws {
        guard case .object(let members) = json else { throw HarnessError("not an object: \(json)") }
        names = members.map { String(decoding: $0.name, as: UTF8.self) }
        values = Dictionary(zip(names, members.map(\.value)), uniquingKeysWith: { first, _ in first })
    }

    subscript(name: String) -> JSONValue? { values[name] }

    package func required(_ name: String) throws -> JSONValue {
        guard let value = values[name] else { throw HarnessError("no \(name)") }
        return value
    }

    // MARK: Members

    /// A byte string by the text rule.
    package func text(_ name: String) throws -> Bytes { try Self.text(try required(name)) }

    /// A word of the schema itself, to which the text rule does not apply.
    package func plainText(_ name: String) throws -> String {
        guard case .string(let bytes) = try required(name) else { throw HarnessError("\(name) is no text") }
        return String(decoding: bytes, as: UTF8.self)
    }

    package func integer(_ name: String) throws -> Int64 { try Self.integer(try required(name)) }

    /// Nil if it is absent; null is a fault.
    package func optionalInteger(_ name: String) throws -> Int64? { try values[name].map(Self.integer) }

    /// Nil if it is absent or null.
    package func nullableInteger(_ name: String) throws -> Int64? {
        values[name] == .null ? nil : try optionalInteger(name)
    }

    // MARK: Values

    static func text(_ json: JSONValue) throws -> Bytes {
        guard case .string(let bytes) = json else { throw HarnessError("not a text: \(json)") }
        return try TextRule.bytes(of: bytes)
    }

    static func integer(_ json: JSONValue) throws -> Int64 {
        guard case .number(let text) = json, let value = Int64(text) else {
            throw HarnessError("not a 64-bit integer: \(json)")
        }
        return value
    }

    static func elements(of json: JSONValue) throws -> [JSONValue] {
        guard case .array(let elements) = json else { throw HarnessError("not an array: \(json)") }
        return elements
    }

    /// The members of an object whose names are data.
    static func members(of json: JSONValue) throws -> [(Bytes, JSONValue)] {
        guard case .object(let members) = json else { throw HarnessError("not an object: \(json)") }
        return try members.map { (try TextRule.bytes(of: $0.name), $0.value) }
    }
}
