import Glibc
import RDBKit

/// How far a restore has come, so that another run can go on from there.
///
/// Every entry that begins before `acknowledged` is at the target. Those from there up to `reserved` may be: their
/// commands were perhaps sent, and their replies not seen. Behind that, nothing was sent.
public struct Checkpoint: Equatable, Sendable {
    public var input: String
    public var target: String
    /// What decides which entries are sent, and as what.
    public var options: String
    /// When the first run began, Unix time in milliseconds: `now` of the runs that go on.
    public var startedAt: Int64
    public var acknowledged: UInt64
    public var reserved: UInt64
    /// Entries before `acknowledged` that were not applied, or not as a whole.
    public var failed: UInt64

    public enum Mismatch: Error, Equatable {
        /// The file holds no checkpoint: why.
        case unreadable(String)
        /// Of another input, another target, a run with other options: what stands there.
        case otherInput(String)
        case otherTarget(String)
        case otherOptions(String)
    }

    private static let heading = "rdbkit restore checkpoint 1"

    /// Lines of `name: value` between a heading and `end`.
    var text: String {
        """
        \(Self.heading)
        input: \(Self.escaped(input))
        target: \(Self.escaped(target))
        options: \(Self.escaped(options))
        started_ms: \(startedAt)
        acknowledged_offset: \(acknowledged)
        reserved_offset: \(reserved)
        failed: \(failed)
        end

        """
    }

    init(input: String, target: String, options: String, startedAt: Int64) {
        self.input = input
        self.target = target
        self.options = options
        self.startedAt = startedAt
        acknowledged = 0
        reserved = 0
        failed = 0
    }

    init(text: String) throws(Mismatch) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first.map(String.init) == Self.heading else {
            throw .unreadable("it is no checkpoint of a restore")
        }
        var values: [Substring: Substring] = [:]
        for line in lines.dropFirst().prefix(while: { $0 != "end" }) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            values[line[..<colon]] = line[colon...].dropFirst(2)
        }
        guard lines.contains("end"), let input = values["input"], let target = values["target"],
            let options = values["options"], let startedAt = values["started_ms"].flatMap({ Int64($0) }),
            let acknowledged = values["acknowledged_offset"].flatMap({ UInt64($0) }),
            let reserved = values["reserved_offset"].flatMap({ UInt64($0) }), acknowledged <= reserved,
            let failed = values["failed"].flatMap({ UInt64($0) })
        else { throw .unreadable("it is no whole checkpoint of a restore") }
        self.init(
            input: Self.unescaped(input), target: Self.unescaped(target), options: Self.unescaped(options),
            startedAt: startedAt)
        self.acknowledged = acknowledged
        self.reserved = reserved
        self.failed = failed
    }

    /// A value in one line.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func unescaped(_ text: Substring) -> String {
        var out = ""
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                out.unicodeScalars.append(scalar == "n" ? "\n" : scalar == "r" ? "\r" : scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

/// The file that holds a checkpoint; it is replaced as a whole, and on the disk before anything relies on it.
public final class CheckpointFile {
    public let path: String
    public private(set) var checkpoint: Checkpoint
    /// Whether an earlier run left it.
    public let isResumed: Bool
    /// What may be sent before the file has to be written again.
    static let reserveByteCount: UInt64 = 256 << 20

    /// - Parameters:
    ///   - input, target: what the run is about.
    ///   - options: what decides which entries are sent, and as what.
    ///   - now: Unix time in milliseconds.
    /// - Throws: `Mismatch` where the file belongs to another run.
    public init(
        path: String, input: String, target: String, options: String, now: Int64
    ) throws(Checkpoint.Mismatch) {
        self.path = path
        guard let text = try Self.read(path) else {
            checkpoint = Checkpoint(input: input, target: target, options: options, startedAt: now)
            isResumed = false
            return
        }
        checkpoint = try Checkpoint(text: text)
        if checkpoint.input != input { throw .otherInput(checkpoint.input) }
        if checkpoint.target != target { throw .otherTarget(checkpoint.target) }
        if checkpoint.options != options { throw .otherOptions(checkpoint.options) }
        isResumed = true
    }

    /// nil where there is none.
    private static func read(_ path: String) throws(Checkpoint.Mismatch) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreadable(unsafe String(cString: strerror(errno)))
        }
        defer { _ = close(descriptor) }
        // A checkpoint is short; more is something else.
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw .unreadable(unsafe String(cString: strerror(errno))) }
        if count == 0 { return nil }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// Writes how far the target has acknowledged, and room for what will be sent next.
    /// - Parameter failed: how many entries more than before were not applied.
    func write(acknowledged: UInt64, sent: UInt64, failed: UInt64) throws(OutputError) {
        checkpoint.acknowledged = max(checkpoint.acknowledged, acknowledged)
        checkpoint.reserved = max(checkpoint.reserved, checkpoint.acknowledged, sent)
        checkpoint.failed += failed
        let file = try OutputFile(path: path)
        var failure: OutputError?
        checkpoint.text.withRawSpan { bytes in
            do throws(OutputError) { try file.write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        try file.finish()
        syncFolder()
    }

    /// So that the new file is what is found after a power failure. Not every file system knows that for folders.
    private func syncFolder() {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "./"
        let descriptor = unsafe open(String(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        _ = close(descriptor)
    }

    /// The run is done: nothing is left to be resumed.
    func remove() { _ = unsafe unlink(path) }
}

/// What an input is known by: its length, and what stands at its beginning and end.
public enum InputIdentity {
    private static let sampleByteCount = 64 << 10

    /// nil for what is no regular file.
    public static func of(path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var crc = CRC64()
        let size = Int(status.st_size)
        for offset in [0, max(0, size - sampleByteCount)] {
            var bytes = [UInt8](repeating: 0, count: sampleByteCount)
            let count = unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, offset)
            }
            guard count >= 0 else { return nil }
            crc.update(bytes.rawSpan.extracting(first: count))
        }
        return "\(size) bytes, \(String(crc.value, radix: 16))"
    }
}
