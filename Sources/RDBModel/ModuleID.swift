/// A module type: nine characters of six bits each, then ten bits of encoding version.
public struct ModuleID: Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var encodingVersion: Int { Int(rawValue & 0x3ff) }

    public var name: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        return String(
            decoding: (0..<9).map { alphabet[Int(rawValue >> (58 - 6 * UInt64($0))) & 63] }, as: UTF8.self)
    }

    public var description: String { "\(name) \(encodingVersion)" }
}
