import Glibc
import Synchronization

/// Where things are in the checkout that these tests were built from.
enum Checkout {
    static let root: String = {
        // This file is Tests/CommandTests/Files.swift.
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    }()

    static let demo = root + "/testdata/demo"
    static let shop = demo + "/shop.rdb"
    static let golden = root + "/testdata/golden"
}

struct SystemFailure: Error, CustomStringConvertible {
    var what: String
    var number: Int32
    var description: String { "cannot \(what): \(String(cString: strerror(number)))" }
}

@discardableResult
func check<Result: SignedInteger>(_ result: Result, _ what: String) throws -> Result {
    if result < 0 { throw SystemFailure(what: what, number: errno) }
    return result
}

func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A folder that goes away with its owner.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("\(environment("TMPDIR") ?? "/tmp")/rdbkit-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure(what: "make a folder", number: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        if Glibc.remove(path) == 0 { return }
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { remove("\(path)/\(name)") }
        }
        closedir(folder)
        _ = Glibc.remove(path)
    }
}

func readFile(_ path: String) throws -> [UInt8] {
    let descriptor = try check(open(path, O_RDONLY | O_CLOEXEC), "open \(path)")
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = try check(read(descriptor, &buffer, buffer.count), "read \(path)")
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}

/// A file written piece by piece.
final class FileWriter {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(_ path: String) throws {
        descriptor = try check(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644), "create \(path)")
    }

    func append(_ bytes: some Collection<UInt8>) throws {
        buffer += bytes
        if buffer.count >= 1 << 20 { try flush() }
    }

    func flush() throws {
        try writeAll(buffer, to: descriptor)
        buffer.removeAll(keepingCapacity: true)
    }

    deinit { close(descriptor) }
}

func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
        rest = rest.dropFirst(try check(rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }, "write"))
    }
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let writer = try FileWriter(path)
    try writer.append(bytes)
    try writer.flush()
}

/// The end to read from, then the end to write to.
func makePipe() throws -> [Int32] {
    var ends: [Int32] = [-1, -1]
    // Between the two calls no other child may be started: it would hold the pipe open.
    try spawning.withLock { _ in
        try check(pipe(&ends), "make a pipe")
        for end in ends { try check(fcntl(end, F_SETFD, FD_CLOEXEC), "set a flag") }
    }
    return ends
}

/// Held while a process is started or a pipe made.
let spawning = Mutex(())
