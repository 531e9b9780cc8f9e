import Glibc
public import RDBBytes

/// Reads a source to its end.
public func readAll(_ source: any ByteSource, pieceByteCount: Int = 1000) throws(SourceError) -> [UInt8] {
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceByteCount, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = try source.read(into: buffer)
        if count == 0 { return bytes }
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}

/// Delivers bytes until a place at which it fails, in pieces of random sizes where a seed is given. It cannot go back.
public final class FailingSource: ByteSource {
    private let bytes: [UInt8]
    private let failsAt: Int
    private let error: SourceError
    private var random: SplitMix64?
    private var index = 0

    public init(_ bytes: [UInt8], failsAt: Int = .max, error: SourceError? = nil, seed: UInt64? = nil) {
        self.bytes = bytes
        self.failsAt = failsAt
        self.error = error ?? .system(EIO)
        random = seed.map { SplitMix64(seed: $0) }
    }

    public var byteCount: UInt64? { nil }
    public var consumedByteCount: UInt64 { UInt64(index) }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        if index >= failsAt { throw error }
        var count = min(buffer.count, min(bytes.count, failsAt) - index)
        if count > 1, random != nil { count = Int(random?.next(upperBound: UInt64(count)) ?? 0) + 1 }
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[index..<index + count])) }
        index += count
        return count
    }

    public func hold(from offset: UInt64, delivered: UnsafeRawBufferPointer) throws(SourceError) {
        throw .system(ESPIPE)
    }
    public func rewind(to offset: UInt64) throws(SourceError) { throw .system(ESPIPE) }
    public func release() {}
}

/// A folder of its own that goes away with the value's last owner.
public final class TemporaryFolder {
    public let path: String

    public init() {
        // Memory where there is some: results are synced to the disk before they get their names.
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/rdbkit-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }
        precondition(made != nil, "no folder for temporary files")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { _ = unlink("\(path)/\(name)") }
        _ = rmdir(path)
    }

    /// The files in the folder.
    public var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    public func file(_ name: String) -> String { "\(path)/\(name)" }

    public func contents(_ name: String) throws(SourceError) -> [UInt8] {
        try readAll(DescriptorSource(path: file(name)), pieceByteCount: 1 << 20)
    }

    public func write(_ bytes: [UInt8], _ name: String) {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            precondition(count > 0, "cannot write a temporary file")
            rest = rest.dropFirst(count)
        }
        _ = close(descriptor)
    }
}
