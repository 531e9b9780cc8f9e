import RDBBytes
import RDBFormat
import RDBModel

extension AOFInput {
    /// Whether the input is a log, and not just an RDB: whether there are commands, before which an RDB may stand.
    ///
    /// A file that ends as an RDB does is one. Where the end cannot be seen (of a pipe, of a compressed file), what the
    /// RDB says of itself counts: servers write `aof-preamble` or `aof-base` into those that commands follow.
    public func isLog() throws(InputError) -> Bool {
        if manifest != nil { return true }
        guard let part = onlyPart else { return false }
        switch part.content {
        case .commands: return true
        case .empty, .unknown: return false
        case .rdb: break
        }
        if !part.isCompressed, let file = part.regularFile, let end = Self.lastBytes(file) {
            return Self.hasCommands(file, end)
        }
        return try Self.saysThatItIsBase(part)
    }

    /// The last 9 bytes of a file that has as many.
    private static func lastBytes(_ file: DescriptorSource) -> [UInt8]? {
        guard let count = file.byteCount, count >= 9, let end = file.part(count - 9..<count) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 9)
        let got = unsafe bytes.withUnsafeMutableBytes { unsafe try? end.read(into: $0) }
        return got == 9 ? bytes : nil
    }

    /// - Parameter end: the file's last 9 bytes: of an RDB the opcode of its end and its checksum, before version 5 the
    ///   opcode at the very end; of commands, mostly a line's end.
    private static func hasCommands(_ file: DescriptorSource, _ end: [UInt8]) -> Bool {
        let endsWithLine = end[7] == 0x0d && end[8] == 0x0a
        if end[0] == 0xff, !endsWithLine { return false }
        // Read by itself: the file's own position stays.
        guard let count = file.byteCount, let whole = file.part(0..<count) else { return false }
        do {
            var reader = try RDBReader(whole, verifiesChecksum: false)
            _ = try reader.skipToEnd()
            guard let next = try reader.peekTrailingByte() else { return false }
            return next == UInt8(ascii: "*") || next == UInt8(ascii: "#")
        } catch {
            // Whoever reads the RDB tells what is wrong with it.
            return false
        }
    }

    private static func saysThatItIsBase(_ part: Part) throws(InputError) -> Bool {
        let head: [UInt8]
        do throws(SourceError) { head = try Input.peek(part.source, count: 16 << 10) } catch {
            throw InputError(path: part.file.path, cause: error)
        }
        do throws(DecodeError) {
            var reader = try RDBReader(MemorySource(head), windowByteCount: 16 << 10, verifiesChecksum: false)
            while case .aux(let field) = try reader.next() {
                if field.name.text == "aof-preamble" || field.name.text == "aof-base" { return field.value.text == "1" }
            }
        } catch {}
        return false
    }
}
