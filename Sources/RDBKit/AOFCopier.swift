import AOFFormat
import Glibc
public import RDBBytes
import RESPFormat

/// Why a log could not be written.
public enum AOFCopyError: Error, Equatable {
    case input(InputError)
    case output(OutputError)
}

/// Writes what is kept of a log: to a file, to a folder of its own, or over the log itself.
///
/// Bytes are copied as they are. Where commands are irregular (see `AOFReader.irregularity`), those from the last safe
/// cut before the first of them are written anew, in the form that servers write; a MULTI or EXEC without effect is left
/// out.
public struct AOFCopier {
    private let input: AOFInput
    private let outcomes: [AOFFileOutcome]
    private let cut: AOFCut

    /// - Parameters:
    ///   - outcomes: of a run over the files up to where they are cut.
    public init(_ input: AOFInput, _ outcomes: [AOFFileOutcome], _ cut: AOFCut) {
        self.input = input
        self.outcomes = outcomes
        self.cut = cut
    }

    /// Where the bytes of a file are not copied any more but written anew.
    private func regularFrom(_ index: Int) -> UInt64? {
        outcomes[index].irregularFrom.flatMap { $0 < end(index) ? $0 : nil }
    }

    private func end(_ index: Int) -> UInt64 { index == cut.fileIndex ? cut.offset : outcomes[index].byteCount }

    // MARK: - To a file

    /// Writes a single file's part that is kept.
    public func write(to output: OutputFile) throws(AOFCopyError) { try write(0, to: output) }

    private func write(_ index: Int, to output: OutputFile) throws(AOFCopyError) {
        let part: AOFInput.Part
        do throws(InputError) { part = try input.open(input.files[index]) } catch { throw .input(error) }
        let copied = regularFrom(index) ?? end(index)
        try Self.copy(part.source, part.file.path, copied, to: output)
        if copied < end(index) {
            try Self.writeRegular(part.source, part.file.path, end(index) - copied, to: output)
        }
    }

    fileprivate static func copy(
        _ source: any ByteSource, _ path: String, _ byteCount: UInt64, to output: OutputFile
    ) throws(AOFCopyError) {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var left = byteCount
        while left > 0 {
            let wanted = Int(min(left, UInt64(buffer.count)))
            let result = unsafe buffer.withUnsafeMutableBytes { bytes -> Result<Int, SourceError> in
                // wanted <= bytes.count.
                do throws(SourceError) {
                    return .success(
                        unsafe try source.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted])))
                } catch { return .failure(error) }
            }
            let count: Int
            do throws(SourceError) {
                count = try result.get()
                // The file was that long a moment ago.
                if count == 0 { throw .system(EIO) }
            } catch { throw .input(InputError(path: path, cause: error)) }
            do throws(OutputError) { try output.write(buffer.rawSpan.extracting(0..<count)) } catch {
                throw .output(error)
            }
            left -= UInt64(count)
        }
    }

    /// Commands that were read before, outside of groups at first, in the form that servers write.
    private static func writeRegular(
        _ source: any ByteSource, _ path: String, _ byteCount: UInt64, to output: OutputFile
    ) throws(AOFCopyError) {
        var reader = RESPCommandReader(ByteWindow(source), acceptsAnnotations: true)
        var out = OutputBuffer()
        var isInGroup = false
        reading: while reader.offset < byteCount {
            do throws(DecodeError) {
                switch try reader.next() {
                case .command:
                    let arguments = reader.arguments
                    let isBegin = arguments.matches(0, "multi")
                    let isEnd = arguments.matches(0, "exec")
                    if isBegin && isInGroup || isEnd && !isInGroup { continue }
                    isInGroup = isBegin || isInGroup && !isEnd
                    out.beginCommand(arguments.count)
                    for index in 0..<arguments.count { out.appendArgument(arguments[index]) }
                case .annotation:
                    out.append(reader.annotation)
                    out.append("\r\n")
                case .end: break reading
                }
            } catch {
                // All of this was read before without a fault.
                let cause: SourceError = error.code == .interrupted ? .interrupted : .system(EIO)
                throw .input(InputError(path: path, cause: cause))
            }
            if out.byteCount >= 256 << 10 { try flush(&out, to: output) }
        }
        try flush(&out, to: output)
    }

    private static func flush(_ out: inout OutputBuffer, to output: OutputFile) throws(AOFCopyError) {
        do throws(OutputError) { try output.write(out.bytes) } catch { throw .output(error) }
        out.truncate(to: 0)
        out.shrink(to: 1 << 20)
    }

    // MARK: - To a folder

    /// Writes a multi-part log into a folder that is made for it, and appears when it is whole. An empty one may be there.
    /// - Parameter dropsEmptyFile: whether an incremental file of which nothing is kept is left out.
    public func write(toFolder path: String, dropsEmptyFile: Bool) throws(AOFCopyError) {
        guard let manifest = input.manifest, let manifestPath = input.manifestPath else {
            preconditionFailure("a single file goes to a file")
        }
        var kept = Array(input.files.indices.prefix(cut.fileIndex + 1))
        if dropsEmptyFile, cut.offset == 0, let last = kept.last, input.files[last].role == .incremental {
            kept.removeLast()
        }
        let scratch = try ScratchFolder(beside: path)
        for index in kept {
            try scratch.write(input.files[index].name) { (output) throws(AOFCopyError) in
                try write(index, to: output)
            }
        }
        let name = manifestPath.split(separator: "/").last.map { String($0) } ?? "appendonly.aof.manifest"
        let text = keptManifest(manifest, kept).text
        try scratch.write(name) { (output) throws(AOFCopyError) in
            var failure: OutputError?
            text.withRawSpan { bytes in
                do throws(OutputError) { try output.write(bytes) } catch { failure = error }
            }
            if let failure { throw .output(failure) }
        }
        try scratch.move(to: path)
    }

    private func keptManifest(_ manifest: AOFManifest, _ kept: [Int]) -> AOFManifest {
        let loaded = manifest.loadedFiles
        return AOFManifest(
            files: kept.map { index in
                var file = loaded[index]
                // It told where the file ended.
                if end(index) != outcomes[index].byteCount || regularFrom(index) != nil { file.endOffset = nil }
                return file
            })
    }

    // MARK: - In place

    /// What was done to a file in place.
    public struct InPlace: Equatable, Sendable {
        public var path: String
        /// The first byte that is not as it was, or not there any more.
        public var changedFrom: UInt64
        /// Holds the bytes that were there from that one on.
        public var savedPath: String
    }

    /// Cuts a file where it lies, after all bytes that are lost or changed have been saved beside it as
    /// `<file>.cut-<offset>`: that file appended to the first `offset` bytes is what was there before.
    /// - Returns: nil if there is nothing to do.
    public func repairInPlace() throws(AOFCopyError) -> InPlace? {
        let index = cut.fileIndex
        let path = input.files[index].path
        let end = end(index)
        let from = regularFrom(index) ?? end
        guard from < outcomes[index].byteCount else { return nil }
        let saved = "\(path).cut-\(from)"
        let file = try FileInPlace(path: path)
        try file.save(from: from, byteCount: outcomes[index].byteCount - from, to: saved)
        if from < end {
            let source: DescriptorSource
            do throws(SourceError) { source = try DescriptorSource(path: saved) } catch {
                throw .input(InputError(path: saved, cause: error))
            }
            try file.seek(to: from)
            try Self.writeRegular(source, saved, end - from, to: file.output)
            try file.truncateHere()
        } else {
            try file.truncate(to: from)
        }
        if let manifest = input.manifest, let manifestPath = input.manifestPath { try replace(manifest, manifestPath) }
        return InPlace(path: path, changedFrom: from, savedPath: saved)
    }

    /// Takes the end offset of the file that was cut out of the manifest.
    private func replace(_ manifest: AOFManifest, _ path: String) throws(AOFCopyError) {
        let name = input.files[cut.fileIndex].name
        guard let index = manifest.files.firstIndex(where: { $0.name == name && $0.endOffset != nil }) else { return }
        var manifest = manifest
        manifest.files[index].endOffset = nil
        do throws(OutputError) {
            let output = try OutputFile(path: path)
            try output.write(Array(manifest.text.utf8).rawSpan)
            try output.finish()
        } catch { throw .output(error) }
    }
}

/// A folder that gets its name when all files in it are whole.
private final class ScratchFolder {
    private let path: String
    private var names: [String] = []
    private var isMoved = false

    init(beside target: String) throws(AOFCopyError) {
        var bare = target
        while bare.count > 1, bare.hasSuffix("/") { bare.removeLast() }
        var template = Array("\(bare).rdbkit-XXXXXX".utf8CString)
        // mkdtemp fills in the six places at the end of its NUL-terminated argument.
        let made = unsafe template.withUnsafeMutableBufferPointer { name -> String? in
            unsafe mkdtemp(name.baseAddress!).map { unsafe String(cString: $0) }
        }
        guard let made else { throw .output(.cannotCreate(target, errno)) }
        path = made
        // As mkdir makes one; mkdtemp's is its owner's alone.
        let mask = umask(0)
        _ = umask(mask)
        _ = unsafe chmod(made, 0o777 & ~mask)
    }

    deinit {
        if isMoved { return }
        for name in names { _ = unsafe unlink("\(path)/\(name)") }
        _ = unsafe rmdir(path)
    }

    func write(_ name: String, _ body: (OutputFile) throws(AOFCopyError) -> Void) throws(AOFCopyError) {
        names.append(name)
        let output: OutputFile
        do throws(OutputError) { output = try OutputFile(uncompressed: "\(path)/\(name)") } catch {
            throw .output(error)
        }
        try body(output)
        do throws(OutputError) { try output.finish() } catch { throw .output(error) }
    }

    /// An empty folder at the target is replaced, anything else is in the way.
    func move(to target: String) throws(AOFCopyError) {
        guard unsafe rename(path, target) == 0 else { throw .output(.cannotCreate(target, errno)) }
        isMoved = true
    }
}

/// A file that is changed where it lies.
private final class FileInPlace {
    private let path: String
    private let descriptor: Int32
    private let mode: mode_t
    let output: OutputFile

    init(path: String) throws(AOFCopyError) {
        self.path = path
        descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw .output(.cannotCreate(path, errno)) }
        output = OutputFile(descriptor: descriptor)
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            mode = 0
            throw .output(.cannotCreate(path, EINVAL))
        }
        mode = status.st_mode & 0o777
    }

    deinit { _ = close(descriptor) }

    /// Copies bytes to a new file, and to the disk.
    func save(from offset: UInt64, byteCount: UInt64, to saved: String) throws(AOFCopyError) {
        try seek(to: offset)
        let copy = unsafe open(saved, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard copy >= 0 else { throw .output(.cannotCreate(saved, errno)) }
        defer { _ = close(copy) }
        let source: DescriptorSource
        do throws(SourceError) { source = try DescriptorSource(descriptor: descriptor, closes: false) } catch {
            throw .input(InputError(path: path, cause: error))
        }
        do throws(AOFCopyError) {
            try AOFCopier.copy(source, path, byteCount, to: OutputFile(descriptor: copy))
            guard fsync(copy) == 0 else { throw .output(.system(errno)) }
        } catch {
            _ = unsafe unlink(saved)
            throw error
        }
    }

    func seek(to offset: UInt64) throws(AOFCopyError) {
        guard let offset = Int(exactly: offset), lseek(descriptor, offset, SEEK_SET) >= 0 else {
            throw .output(.system(errno))
        }
    }

    func truncateHere() throws(AOFCopyError) {
        try truncate(to: UInt64(max(0, lseek(descriptor, 0, SEEK_CUR))))
    }

    func truncate(to byteCount: UInt64) throws(AOFCopyError) {
        guard let byteCount = Int(exactly: byteCount), ftruncate(descriptor, byteCount) == 0, fsync(descriptor) == 0
        else {
            throw .output(.system(errno))
        }
    }
}
