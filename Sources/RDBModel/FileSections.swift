/// A byte string of the file's head, kept up to a limit.
public struct KeptText: Equatable, Sendable {
    /// The first bytes, all of them unless `isCut`.
    public var bytes: [UInt8]
    public var byteCount: UInt64

    public init(bytes: [UInt8], byteCount: UInt64) {
        self.bytes = bytes
        self.byteCount = byteCount
    }

    public var isCut: Bool { UInt64(bytes.count) < byteCount }
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// A named fact about the file: `redis-ver`, `ctime`, `used-mem` and so on.
public struct AuxField: Equatable, Sendable {
    public var name: KeptText
    public var value: KeptText

    public init(name: KeptText, value: KeptText) {
        self.name = name
        self.value = value
    }
}

/// A library of server-side functions.
public struct FunctionLibrary: Equatable, Sendable {
    public var engine: String
    public var name: String
    public var code: KeptText

    public init(engine: String, name: String, code: KeptText) {
        self.engine = engine
        self.name = name
        self.code = code
    }

    /// The code as FUNCTION LOAD takes it. Before the form's release it had no first line that names engine and library.
    public var source: [UInt8] {
        if code.bytes.starts(with: "#!".utf8) { return code.bytes }
        return Array("#!\(engine.lowercased()) name=\(name)\n".utf8) + code.bytes
    }

    /// From source text, whose first line is `#!<engine> name=<library>`.
    public init(code: KeptText) {
        let line = String(decoding: code.bytes.prefix(1024).prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
        let words = line.split(separator: " ")
        engine = words.first.map { $0.hasPrefix("#!") ? String($0.dropFirst(2)) : "" } ?? ""
        name = words.first { $0.hasPrefix("name=") }.map { String($0.dropFirst(5)) } ?? ""
        self.code = code
    }
}

/// Data of a module that belongs to no key.
public struct ModuleAux: Equatable, Sendable {
    public var module: ModuleID
    /// 1 = before the keys, 2 = after.
    public var when: UInt64

    public init(module: ModuleID, when: UInt64) {
        self.module = module
        self.when = when
    }
}
