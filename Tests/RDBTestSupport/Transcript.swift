public import RDBBytes
import RDBFormat
import RDBModel

/// All that a reader says of a file, as lines of text, and the fault that ended it.
public struct Transcript: Equatable, Sendable {
    public var lines: [String] = []
    /// Texts that came in chunks.
    public var large: [[UInt8]] = []
    public var faults: [DecodeError] = []
    public var error: DecodeError?

    public init() {}

    public enum Way: Sendable {
        case decode
        /// Steps over each value.
        case skip
        /// Reads each value, goes back and reads it again; only the second time is told.
        case rewind
    }

    /// Reads a whole file.
    public static func of(
        _ source: any ByteSource, windowByteCount: Int = 4096, way: Way = .decode, strict: Bool = false
    ) -> Transcript {
        var transcript = Transcript()
        do throws(DecodeError) {
            var reader = try RDBReader(source, windowByteCount: windowByteCount)
            if strict {
                try transcript.read(&reader, way, Strict.self)
            } else {
                try transcript.read(&reader, way, Plain.self)
            }
        } catch {
            transcript.error = error
        }
        return transcript
    }

    public static func of(
        _ bytes: [UInt8], windowByteCount: Int = 4096, pieceByteCount: Int = .max, way: Way = .decode,
        strict: Bool = false
    ) -> Transcript {
        of(
            MemorySource(bytes, pieceByteCount: pieceByteCount), windowByteCount: windowByteCount, way: way,
            strict: strict)
    }

    private mutating func read<S: Strictness>(
        _ reader: inout RDBReader, _ way: Way, _: S.Type
    ) throws(DecodeError) {
        while true {
            let item = try reader.next()
            switch item {
            case .end(let end):
                lines.append("end \(Self.words(end.checksum)) at \(end.byteCount)")
                return
            case .entry:
                lines.append(Self.head(reader))
                if way == .rewind { reader.holdValue() }
                if way == .skip {
                    try reader.skipValue()
                } else {
                    try readValue(&reader, way, S.self)
                }
                if way == .rewind { reader.releaseValue() }
                lines.append("ends at \(reader.offset)")
            default:
                lines.append(Self.words(item))
            }
        }
    }

    private mutating func readValue<S: Strictness>(
        _ reader: inout RDBReader, _ way: Way, _: S.Type
    ) throws(DecodeError) {
        var log = EventLog<S>()
        do throws(DecodeError) {
            if way == .rewind {
                try reader.readValue(into: &log)
                try reader.rewindToValue()
                log = EventLog<S>()
            }
            try reader.readValue(into: &log)
        } catch {
            take(log)
            throw error
        }
        take(log)
    }

    private mutating func take<S: Strictness>(_ log: EventLog<S>) {
        lines += log.lines
        large += log.large
        faults += log.faults
    }

    // MARK: - Words

    private static func head(_ reader: borrowing RDBReader) -> String {
        let header = reader.header
        var line = "db \(header.database) \(header.type.name) \(header.encoding.name) "
        line += EventLog<Plain>.quoted(reader.key.array)
        if let time = header.expiresAt { line += " expires \(time)" }
        if let idle = header.idleSeconds { line += " idle \(idle)" }
        if let frequency = header.lfuFrequency { line += " freq \(frequency)" }
        return line + " bytes \(header.startOffset) \(header.typeOffset) \(header.valueOffset)"
    }

    private static func words(_ checksum: RDBEnd.Checksum) -> String {
        switch checksum {
        case .absent: "without checksum"
        case .matches(let value): "checksum \(String(value, radix: 16))"
        case .unverified(let value): "unverified \(String(value, radix: 16))"
        }
    }

    private static func words(_ item: RDBItem) -> String {
        switch item {
        case .aux(let field):
            "aux \(EventLog<Plain>.quoted(field.name.bytes)) \(EventLog<Plain>.quoted(field.value.bytes))"
        case .moduleAux(let aux): "module aux \(aux.module) when \(aux.when)"
        case .function(let library):
            "function \(library.engine) \(library.name) \(EventLog<Plain>.quoted(library.code.bytes))"
        case .selectDatabase(let number): "select \(number)"
        case .resizeDatabase(let keys, let expires): "resize \(keys) \(expires)"
        case .slotInfo(let slot, let keys, let expires): "slot \(slot) \(keys) \(expires)"
        case .slotImport(let job, let ranges): "slot import \(job) \(ranges)"
        case .hashTemplate(let id, let count): "template \(id) \(count)"
        case .inlineUpdate(let count): "inline update \(count)"
        case .entry, .end: "-"
        }
    }
}
