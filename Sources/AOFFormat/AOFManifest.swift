public import RDBBytes
import RESPFormat

/// Which files a multi-part AOF consists of. One line a file:
///
///     file <name> seq <n> type <b|h|i> [startoffset <n>] [endoffset <n>]
///
/// Names and values in any order, names in any letter case, unknown ones skipped. A name of a file may stand in quotes,
/// as `WordSplitter` reads them. The rules are those of the servers, whatever they refuse is a fault.
/// Source: formats/aof.md §3.3; redis/redis src/aof.c, aofLoadManifestFromFile.
public struct AOFManifest: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        case base = 0x62
        case history = 0x68
        case incremental = 0x69
    }

    public struct File: Equatable, Sendable {
        /// Of a file in the manifest's own folder.
        public var name: String
        public var sequence: Int64
        public var kind: Kind
        /// Replication offsets that Redis 8.0 and later note.
        public var startOffset: Int64?
        public var endOffset: Int64?

        public init(
            name: String, sequence: Int64, kind: Kind, startOffset: Int64? = nil, endOffset: Int64? = nil
        ) {
            self.name = name
            self.sequence = sequence
            self.kind = kind
            self.startOffset = startOffset
            self.endOffset = endOffset
        }
    }

    /// As they stand in the manifest.
    public var files: [File]

    public init(files: [File]) { self.files = files }

    /// Base first, then the incremental files: what a server loads, in its order.
    public var loadedFiles: [File] { files.filter { $0.kind == .base } + files.filter { $0.kind == .incremental } }

    /// Left over from rewrites; never loaded.
    public var historyFiles: [File] { files.filter { $0.kind == .history } }

    /// With the line feed.
    static let maxLineByteCount = 1024

    /// - Throws: `badManifest` with the offset of the line.
    public init(_ text: [UInt8]) throws(DecodeError) {
        files = []
        if text.isEmpty { throw Self.fault(0, "at least one line", .endOfInput) }
        var lineStart = 0
        var hasBase = false
        var newestSequence: Int64 = 0
        while lineStart < text.count {
            let at = lineStart
            let lineFeed = text[at...].firstIndex(of: 0x0a)
            lineStart = (lineFeed ?? text.count - 1) + 1
            if text[at] == UInt8(ascii: "#") { continue }
            guard let lineFeed else { throw Self.fault(at, "a line feed behind each line", .endOfInput) }
            if lineStart - at > Self.maxLineByteCount {
                throw Self.fault(at, "a line of at most 1023 bytes", .number(Int64(lineFeed - at)))
            }
            let file = try Self.file(text[at..<lineFeed], at)
            switch file.kind {
            case .base:
                if hasBase { throw Self.fault(at, "one base file", .described("a second one")) }
                hasBase = true
            case .incremental:
                if file.sequence <= newestSequence {
                    throw Self.fault(at, "a higher seq than the incremental file before", .number(file.sequence))
                }
                newestSequence = file.sequence
            case .history: break
            }
            files.append(file)
        }
    }

    private static func file(_ line: ArraySlice<UInt8>, _ at: Int) throws(DecodeError) -> File {
        guard let words = WordSplitter.split(line) else {
            throw fault(at, "closed quotes", .described("others"))
        }
        guard words.count >= 6, words.count % 2 == 0 else {
            throw fault(at, "pairs of words: file, seq and type", .described("something else"))
        }
        var name: String?
        var sequence: Int64 = 0
        var kind: Kind?
        var offsets: [String: Int64] = [:]
        for index in stride(from: 0, to: words.count, by: 2) {
            let value = words[index + 1]
            let word = String(decoding: words[index], as: UTF8.self).lowercased()
            switch word {
            case "file": name = try Self.name(value, at)
            case "seq": sequence = CNumber(value.rawSpan).value
            case "type":
                // Servers look at the first letter only.
                kind = value.first.flatMap { Kind(rawValue: $0) }
                if kind == nil { throw fault(at, "a type b, h or i", value.first.map { .byte($0) } ?? .endOfValue) }
            case "startoffset", "endoffset": offsets[word] = CNumber(value.rawSpan).value
            default: break
            }
        }
        guard let name, let kind else { throw fault(at, "file, seq and type", .described("not all of them")) }
        guard sequence > 0 else { throw fault(at, "a seq from 1 on", .number(sequence)) }
        return File(
            name: name, sequence: sequence, kind: kind, startOffset: offsets["startoffset"],
            endOffset: offsets["endoffset"])
    }

    /// A bare name: nothing outside of the folder can be meant.
    private static func name(_ bytes: [UInt8], _ at: Int) throws(DecodeError) -> String {
        if let byte = bytes.first(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0 }) {
            throw fault(at, "the name of a file, not a path", .byte(byte))
        }
        if bytes.isEmpty || bytes == Array(".".utf8) || bytes == Array("..".utf8) {
            throw fault(at, "the name of a file", .described("none"))
        }
        guard let name = String(validating: bytes, as: UTF8.self) else {
            throw fault(at, "a name in UTF-8", .described("other bytes"))
        }
        return name
    }

    private static func fault(_ at: Int, _ expected: StaticString, _ found: DecodeError.Found) -> DecodeError {
        DecodeError(.badManifest, at: ByteLocation(offset: UInt64(at)), expected: expected, found: found)
    }

    // MARK: - Writing

    /// The text of a manifest that says the same.
    public var text: String {
        files.map { file in
            let kind = Character(UnicodeScalar(file.kind.rawValue))
            var line = "file \(WordSplitter.quoted(file.name)) seq \(file.sequence) type \(kind)"
            if let offset = file.startOffset { line += " startoffset \(offset)" }
            if let offset = file.endOffset { line += " endoffset \(offset)" }
            return line + "\n"
        }.joined()
    }

    /// Whether the beginning of a text is that of a manifest rather than of a log.
    public static func isLikely(_ text: [UInt8]) -> Bool {
        for line in text.split(separator: 0x0a) where line.first != UInt8(ascii: "#") {
            guard let words = WordSplitter.split(line), let first = words.first else { return false }
            let word = String(decoding: first, as: UTF8.self).lowercased()
            return ["file", "seq", "type", "startoffset", "endoffset"].contains(word)
        }
        return false
    }
}
