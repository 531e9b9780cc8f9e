import Glibc

/// A copy of an RDB file that says it is of version 9, for rdbtools, whose last release refuses all later ones.
///
/// Right only for files of plain strings: their form is the same in both versions, while Redis 7's listpacks and
/// streams did not exist in version 9. The checksum is set to zero, which stands for "none".
enum RelabelledDump {
    /// Whether a corpus holds nothing but strings.
    static func isPossible(for corpus: Corpus) -> Bool {
        corpus == .tiny || corpus == .incompressible
    }

    /// Makes the copy beside the original and returns its path; the caller removes it.
    static func make(of original: String) throws(BenchError) -> String {
        let path = original + ".version-9"
        let source = open(original, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw .system("open \(original)") }
        defer { close(source) }
        let target = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard target >= 0 else { throw .system("write \(path)") }
        defer { close(target) }
        let size = fileSize(original) ?? 0
        while true {
            let count = sendfile(target, source, nil, 1 << 24)
            if count == 0 { break }
            guard count > 0 else { throw .system("copy \(original)") }
        }
        let checksum = [UInt8](repeating: 0, count: 8)
        guard pwrite(target, "REDIS0009", 9, 0) == 9, pwrite(target, checksum, 8, size - 8) == 8 else {
            throw .system("write \(path)")
        }
        return path
    }
}
