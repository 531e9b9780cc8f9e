import RDBBytes
import RDBFormat
import RDBModel
import RESPFormat

/// FUNCTION and its second words.
enum FunctionCommand: String, CaseIterable {
    case function = "FUNCTION"
}

// Libraries of functions are kept as their source text, and never run.
// Source: redis/redis src/functions.c; formats/commands.md §C.14, formats/encodings.md §13.
extension CommandRunner {
    mutating func run(_ command: FunctionCommand, _ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        if arguments.matches(1, "load") { return loadLibrary(arguments) }
        if arguments.matches(1, "delete") {
            guard arguments.count == 3 else { return .wrongArgumentCount }
            return keyspace.functions.remove(arguments[2]) == nil ? .refused : .applied
        }
        if arguments.matches(1, "flush") {
            guard arguments.count <= 3 else { return .refused }
            if arguments.count == 3, !arguments.matches(2, "async"), !arguments.matches(2, "sync") { return .refused }
            keyspace.functions.removeAll()
            return .applied
        }
        if arguments.matches(1, "restore") { return restoreLibraries(arguments) }
        // The rest only asks.
        return .refused
    }

    private func loadLibrary(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        let replaces = arguments.count == 4 && arguments.matches(2, "replace")
        guard arguments.count == 3 || replaces else { return .refused }
        guard let library = FunctionLibrary(source: arguments[arguments.count - 1]),
            keyspace.load([library], replaces: replaces)
        else { return .refused }
        return .applied
    }

    private func restoreLibraries(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 3 else { return .wrongArgumentCount }
        let replaces = arguments.matches(3, "replace")
        let flushes = arguments.matches(3, "flush")
        guard arguments.count == 3 || arguments.count == 4 && (replaces || flushes || arguments.matches(3, "append"))
        else { return .refused }
        guard let libraries = FunctionLibrary.libraries(ofDump: arguments[2]) else { return .refused }
        guard let libraries else { return .cannotRun }
        guard keyspace.load(libraries, replaces: replaces, flushes: flushes) else { return .refused }
        return .applied
    }
}

extension Keyspace {
    /// Adds libraries, all or none.
    /// - Parameter flushes: in place of all that are there.
    /// - Returns: false where one of the same name is there and is not to be replaced.
    fileprivate func load(_ libraries: [FunctionLibrary], replaces: Bool, flushes: Bool = false) -> Bool {
        // Within one payload a name may come only once.
        var names: Set<[UInt8]> = []
        for library in libraries {
            guard names.insert(library.name).inserted else { return false }
            if !replaces, !flushes, functions.contains(library.name.rawSpan) { return false }
        }
        if flushes { functions.removeAll() }
        for library in libraries {
            functions.remove(library.name.rawSpan)
            functions.insert(library.name.rawSpan, library.source)
        }
        return true
    }
}

extension FunctionLibrary {
    /// From a library's source, whose first line is `#!engine name=name`, as servers split it into words.
    init?(source: RawSpan) {
        let bytes = source.array
        guard bytes.starts(with: Array("#!".utf8)), let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            return nil
        }
        let words = bytes[2..<lineEnd].split(whereSeparator: { $0 == 0x20 || 0x09...0x0d ~= $0 })
        guard words.count >= 2 else { return nil }
        var name: [UInt8]?
        for word in words.dropFirst() {
            guard word.starts(with: Array("name=".utf8)), name == nil else { return nil }
            name = Array(word.dropFirst(5))
        }
        guard let name, Self.isName(name) else { return nil }
        self.init(name: name, source: bytes)
    }

    private static func isName(_ name: [UInt8]) -> Bool {
        !name.isEmpty
            && name.allSatisfy { byte in
                0x30...0x39 ~= byte || 0x41...0x5a ~= byte || 0x61...0x7a ~= byte || byte == UInt8(ascii: "_")
            }
    }

    /// The libraries in what FUNCTION DUMP answers: `F5, string` for each, and a payload's footer.
    /// - Returns: nil for a damaged one; nil in it where a source is longer than a reader keeps.
    static func libraries(ofDump payload: RawSpan) -> [FunctionLibrary]?? {
        let footer = RDBReader.payloadFooterByteCount
        guard payload.byteCount >= footer else { return .none }
        var crc = CRC64()
        crc.update(payload.extracting(0..<payload.byteCount - 8))
        var stated: UInt64 = 0
        for index in (payload.byteCount - 8..<payload.byteCount).reversed() {
            stated = stated << 8 | UInt64(payload.byte(at: index))
        }
        // Servers from Redis 8.4 on leave the checksum out.
        guard stated == crc.value || stated == 0 else { return .none }
        // Its sections are those of a file.
        let version = RDBVersion(number: RDBVersion.newestRedis, family: .redis)
        let file = Array(version.magic.utf8) + payload.extracting(0..<payload.byteCount - footer).array + [0xff]
        do {
            var reader = try RDBReader(MemorySource(file + [UInt8](repeating: 0, count: 8)), verifiesChecksum: false)
            var libraries: [FunctionLibrary] = []
            while true {
                switch try reader.next() {
                case .function(let section):
                    if section.code.isCut { return .some(nil) }
                    guard let library = FunctionLibrary(source: section.code.bytes.rawSpan) else { return .none }
                    libraries.append(library)
                case .end: return libraries
                default: return .none
                }
            }
        } catch {
            return .none
        }
    }
}
