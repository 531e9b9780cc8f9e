import Glibc
import RDBKit

/// How far a restore has come, so that another run can go on from there.
///
/// Every entry that begins before `acknowledged` is at the target. Those from there up to `reserved` may be: their
/// commands were perhaps sent, and their replies not seen. Behind that, nothing was sent.
public struct Checkpoint: Equatable, Sendable {
    public var input: String
    public var target: String
    public var acknowledged: UInt64
    public var reserved: UInt64
    public var hasFunctions: Bool

    public enum Mismatch: Error, Equatable {
        /// The file holds no checkpoint: why.
        case unreadable(String)
        /// Of another input, another target: what stands there.
        case otherInput(String)
        case otherTarget(String)
    }

    private static let heading = "rdbkit restore checkpoint 1"

    /// Five lines behind the heading, `name: value`.
    var text: String {
        """
        \(Self.heading)
        input: \(input)
        target: \(target)
        acknowledged_offset: \(acknowledged)
        reserved_offset: \(reserved)
        functions: \(hasFunctions ? "yes" : "no")
        end

        """
    }

    init(input: String, target: String) {
        self.input = input
        self.target = target
        acknowledged = 0
        reserved = 0
        hasFunctions = false
    }

    init(text: String) throws(Mismatch) {
        var values: [Substring: Substring] = [:]
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first.map(String.init) == Self.heading, lines.contains("end") else {
            throw .unreadable("it is no checkpoint of a restore")
        }
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            values[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
        }
        guard let input = values["input"], let target = values["target"],
            let acknowledged = values["acknowledged_offset"].flatMap({ UInt64($0) }),
            let reserved = values["reserved_offset"].flatMap({ UInt64($0) }), acknowledged <= reserved
        else { throw .unreadable("it is no whole checkpoint") }
        self.init(input: String(input), target: String(target))
        self.acknowledged = acknowledged
        self.reserved = reserved
        hasFunctions = values["functions"] == "yes"
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

    /// - Throws: `Mismatch` where the file belongs to another run.
    public init(path: String, input: String, target: String) throws(Checkpoint.Mismatch) {
        self.path = path
        guard let text = try Self.read(path) else {
            checkpoint = Checkpoint(input: input, target: target)
            isResumed = false
            return
        }
        checkpoint = try Checkpoint(text: text)
        if checkpoint.input != input { throw .otherInput(checkpoint.input) }
        if checkpoint.target != target { throw .otherTarget(checkpoint.target) }
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
    func write(acknowledged: UInt64, sent: UInt64, hasFunctions: Bool) throws(OutputError) {
        checkpoint.acknowledged = max(checkpoint.acknowledged, acknowledged)
        checkpoint.reserved = max(checkpoint.reserved, checkpoint.acknowledged, sent)
        checkpoint.hasFunctions = hasFunctions
        let file = try OutputFile(path: path)
        var failure: OutputError?
        checkpoint.text.withRawSpan { bytes in
            do throws(OutputError) { try file.write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        try file.finish()
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
