public import RDBBytes
public import RDBModel

/// Writes a line of CSV for each key: where it is, what it takes, when it expires.
///
/// The first eight columns are those of other reports of memory. Keys are written by the text rule with JSON's escapes,
/// so that each key is one line.
public struct KeyLineWriter: ~Copyable {
    public static let header =
        "database,type,key,size_in_bytes,encoding,num_elements,len_largest_element,expiry,serialized_bytes,"
        + "idle_seconds,lfu_freq,slot\n"

    private let file: OutputFile?
    private var out = OutputBuffer()
    public private(set) var failure: OutputError?

    private static let flushByteCount = 128 << 10

    /// - Parameter file: nil keeps the lines until another writer absorbs them.
    public init(_ file: OutputFile?) { self.file = file }

    public var isFull: Bool { file == nil && out.byteCount > 3 << 19 }

    public mutating func appendHeader() { out.append(Self.header) }

    public mutating func append(
        _ header: EntryHeader, key: RawSpan, bytes: UInt64, encoding: String, elements: UInt64,
        largestElementBytes: UInt64, serializedBytes: UInt64
    ) {
        out.append(decimal: header.database)
        comma()
        out.append(header.type.name)
        comma()
        out.appendCSV(key)
        comma()
        out.append(decimal: bytes)
        comma()
        out.append(encoding)
        comma()
        out.append(decimal: elements)
        comma()
        out.append(decimal: largestElementBytes)
        comma()
        if let expiresAt = header.expiresAt { out.append(timeInMilliseconds: expiresAt) }
        comma()
        out.append(decimal: serializedBytes)
        comma()
        if let idle = header.idleSeconds { out.append(decimal: idle) }
        comma()
        if let frequency = header.lfuFrequency { out.append(decimal: UInt64(frequency)) }
        comma()
        out.append(decimal: UInt64(HashSlot.of(key)))
        out.append(UInt8(ascii: "\n"))
        if file != nil, out.byteCount >= Self.flushByteCount { flush() }
    }

    private mutating func comma() { out.append(UInt8(ascii: ",")) }

    /// Takes over the lines of a writer that keeps them, which is empty afterwards.
    public mutating func absorb(_ other: inout KeyLineWriter) {
        flush()
        if failure == nil, other.out.byteCount > 0 {
            do throws(OutputError) { try file?.write(other.out.bytes) } catch { failure = error }
        }
        other.out.truncate(to: 0)
        other.out.shrink(to: 2 << 20)
    }

    public mutating func flush() {
        guard let file, out.byteCount > 0 else { return }
        if failure == nil {
            do throws(OutputError) { try file.write(out.bytes) } catch { failure = error }
        }
        out.truncate(to: 0)
        out.shrink(to: 1 << 20)
    }
}

extension OutputBuffer {
    /// A cell of CSV with bytes by the text rule and JSON's escapes, so that it holds no line's end.
    mutating func appendCSV(_ bytes: RawSpan) {
        let start = byteCount
        appendAutoJSON(bytes)
        var needsQuotes = false
        for index in start + 1..<byteCount - 1 {
            let byte = self.bytes.byte(at: index)
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                needsQuotes = true
                break
            }
        }
        let text = self.bytes.extracting(start + 1..<byteCount - 1).array
        truncate(to: start)
        if !needsQuotes { return append(text) }
        append(UInt8(ascii: "\""))
        for byte in text {
            append(byte)
            if byte == UInt8(ascii: "\"") { append(byte) }
        }
        append(UInt8(ascii: "\""))
    }

    /// RFC 3339 in UTC with milliseconds; the number where the year has more than four digits.
    mutating func append(timeInMilliseconds time: Int64) {
        let seconds = time / 1000 - (time % 1000 < 0 ? 1 : 0)
        let days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0)
        let date = CivilTime.date(days: days)
        guard (0...9999).contains(date.year) else { return append(decimal: time) }
        let second = seconds - days * 86400
        append(padded: date.year, 4)
        append(UInt8(ascii: "-"))
        append(padded: date.month, 2)
        append(UInt8(ascii: "-"))
        append(padded: date.day, 2)
        append(UInt8(ascii: "T"))
        append(padded: second / 3600, 2)
        append(UInt8(ascii: ":"))
        append(padded: second / 60 % 60, 2)
        append(UInt8(ascii: ":"))
        append(padded: second % 60, 2)
        append(UInt8(ascii: "."))
        append(padded: time - seconds * 1000, 3)
        append(UInt8(ascii: "Z"))
    }

    private mutating func append(padded number: Int64, _ digits: Int) {
        var place: Int64 = 1
        for _ in 1..<digits { place *= 10 }
        while place > 0 {
            append(UInt8(truncatingIfNeeded: number / place % 10) + 0x30)
            place /= 10
        }
    }
}
