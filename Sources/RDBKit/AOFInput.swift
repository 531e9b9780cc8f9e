public import AOFFormat
import Glibc
public import RDBBytes

/// An append-only log, recognised by its content: a single file (plain, in gzip, from standard input, with or without an
/// RDB before its commands), a manifest, or a folder that holds one.
///
///     let input = try AOFInput(path: "appendonlydir")
///     for file in input.files {                       // base first, in the order of loading
///         let part = try input.open(file)
///         if part.beginsWithRDB {
///             var rdb = try RDBReader(part.source)    // read it to its end, then AOFReader(behind: rdb)
///         } else {
///             var log = AOFReader(ByteWindow(part.source))
///         }
///     }
public struct AOFInput {
    /// What a file's first bytes say that it is.
    public enum Content: Sendable {
        case rdb, commands, empty, unknown
    }

    public enum Role: String, Sendable {
        case single, base, incremental
    }

    /// A file that a load reads.
    public struct File: Equatable, Sendable {
        public var role: Role
        /// As the manifest has it; of a single file, the path.
        public var name: String
        public var path: String

        public init(role: Role, name: String, path: String) {
            self.role = role
            self.name = name
            self.path = path
        }
    }

    /// A file that was opened.
    public struct Part {
        public let file: File
        /// Delivers the file's bytes (what is inside, where it is compressed) from the first on, and can go back.
        public let source: any ByteSource
        public let content: Content
        /// Whether an RDB comes first; commands may follow it.
        public var beginsWithRDB: Bool { content == .rdb }
        /// Whether the source's bytes are not the file's own.
        public let isCompressed: Bool
        /// The file's own bytes, which can be read again from their beginning; nil for pipes and the like.
        public let regularFile: DescriptorSource?
    }

    /// As it was given.
    public let path: String
    /// In the order of loading.
    public let files: [File]
    /// Of a multi-part log.
    public let manifest: AOFManifest?
    /// The manifest's own path, and that of its folder.
    public let manifestPath: String?
    public let folder: String?

    /// Standard input and other sources that are there once.
    private let once: Once?

    private final class Once {
        var part: Part?
        /// Whether standard input was opened and its bytes are kept.
        var isHeld = false
        init(_ part: Part) { self.part = part }
    }

    /// Larger manifests are not read: servers write a line for each file.
    private static let maxManifestByteCount = 16 << 20

    /// - Parameter path: `-` is standard input, which takes a single file.
    public init(path: String) throws(AOFInputError) {
        if path != "-", Self.isFolder(path) {
            try self.init(path: path, manifestPath: Self.manifest(in: path))
            return
        }
        let file = File(role: .single, name: path, path: path)
        let part: Part
        let isManifest: Bool
        do throws(InputError) {
            part = try Self.open(file)
            isManifest = part.beginsWithRDB ? false : try Self.isManifest(part)
        } catch { throw .unreadable(error) }
        if isManifest {
            guard path != "-", !part.isCompressed else {
                throw .unreadable(
                    InputError(
                        path: path, cause: .damaged(.unsupportedInput, "a single file; a manifest goes by its name")))
            }
            try self.init(path: path, manifestPath: path)
            return
        }
        self.init(path: path, file: file, part: part)
    }

    private init(path: String, file: File, part: Part) {
        self.path = path
        files = [file]
        manifest = nil
        manifestPath = nil
        folder = nil
        once = Once(part)
    }

    private init(path: String, manifestPath: String) throws(AOFInputError) {
        let slash = manifestPath.lastIndex(of: "/")
        let folder = slash.map { $0 == manifestPath.startIndex ? "/" : String(manifestPath[..<$0]) } ?? "."
        let text: [UInt8]
        do throws(SourceError) {
            text = try Self.readAll(try DescriptorSource(path: manifestPath), limit: Self.maxManifestByteCount)
        } catch { throw .unreadable(InputError(path: manifestPath, cause: error)) }
        let manifest: AOFManifest
        do throws(DecodeError) { manifest = try AOFManifest(text) } catch {
            throw .badManifest(path: manifestPath, error)
        }
        self.path = path
        self.manifest = manifest
        self.manifestPath = manifestPath
        self.folder = folder
        let prefix = slash == nil ? "" : folder == "/" ? "/" : folder + "/"
        files = manifest.loadedFiles.map {
            File(role: $0.kind == .base ? .base : .incremental, name: $0.name, path: prefix + $0.name)
        }
        once = nil
    }

    /// Opens one of `files`.
    /// - Parameter again: whether the file will be opened once more: what comes from a pipe is kept for that, in a
    ///   temporary file where it is large.
    /// - Throws: `InputError`, of a missing file with `ENOENT`.
    public func open(_ file: File, again: Bool = false) throws(InputError) -> Part {
        guard let once, file.role == .single else { return try Self.open(file) }
        if let part = once.part {
            do throws(SourceError) {
                if once.isHeld {
                    try part.source.rewind(to: 0)
                } else if again, path == "-" {
                    unsafe try part.source.hold(from: 0, delivered: UnsafeRawBufferPointer(start: nil, count: 0))
                    once.isHeld = true
                }
            } catch { throw InputError(path: path, cause: error) }
            guard once.isHeld else {
                once.part = nil
                return part
            }
            // Holds of a reader are not to end the one that keeps all.
            return Part(
                file: part.file, source: RecordingSource(part.source), content: part.content,
                isCompressed: part.isCompressed, regularFile: part.regularFile)
        }
        if path == "-" { throw InputError(path: path, cause: .system(ESPIPE)) }
        return try Self.open(file)
    }

    /// Of a single file that has not been opened yet: what it is.
    public var singleContent: Content? { once?.part?.content }

    /// A single file that has not been opened yet.
    var onlyPart: Part? { once?.part }

    // MARK: - Files

    static func open(_ file: File) throws(InputError) -> Part {
        do throws(SourceError) {
            let descriptor: DescriptorSource =
                file.path == "-"
                ? try DescriptorSource(descriptor: 0, closes: false) : try DescriptorSource(path: file.path)
            let base: any ByteSource = descriptor.canRewind ? descriptor : RecordingSource(descriptor)
            let (kind, source) = try Input.unwrap(base)
            let content: Content =
                switch kind {
                case .rdb: .rdb
                case .aof: .commands
                case .empty: .empty
                default: .unknown
                }
            return Part(
                file: file, source: source, content: content, isCompressed: source !== base,
                regularFile: descriptor.canRewind ? descriptor : nil)
        } catch {
            throw InputError(path: file.path, cause: error)
        }
    }

    private static func isManifest(_ part: Part) throws(InputError) -> Bool {
        do throws(SourceError) {
            let first = try Input.peek(part.source, count: 1)
            if first.isEmpty || first[0] == UInt8(ascii: "*") { return false }
            return AOFManifest.isLikely(try Input.peek(part.source, count: 4096))
        } catch {
            throw InputError(path: part.file.path, cause: error)
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The one manifest in a folder.
    private static func manifest(in path: String) throws(AOFInputError) -> String {
        guard let folder = unsafe opendir(path) else {
            throw .unreadable(InputError(path: path, cause: .system(errno)))
        }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            // d_name is NUL-terminated within its 256 bytes.
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".manifest"), !name.hasPrefix("temp") { names.append(name) }
        }
        guard names.count == 1 else {
            let expected: StaticString =
                names.isEmpty ? "a folder that holds a *.manifest" : "a folder that holds one *.manifest, not several"
            throw .unreadable(InputError(path: path, cause: .damaged(.unsupportedInput, expected)))
        }
        return path.hasSuffix("/") ? path + names[0] : "\(path)/\(names[0])"
    }

    private static func readAll(_ source: any ByteSource, limit: Int) throws(SourceError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let result = unsafe piece.withUnsafeMutableBytes { buffer -> Result<Int, SourceError> in
                do throws(SourceError) { return .success(unsafe try source.read(into: buffer)) } catch {
                    return .failure(error)
                }
            }
            let count = try result.get()
            if count == 0 { return bytes }
            bytes += piece[..<count]
            if bytes.count > limit { throw .damaged(.limitExceeded, "a manifest of at most 16 MiB") }
        }
    }
}

/// An append-only log that cannot be opened.
public enum AOFInputError: Error, Equatable {
    case unreadable(InputError)
    case badManifest(path: String, DecodeError)
}
