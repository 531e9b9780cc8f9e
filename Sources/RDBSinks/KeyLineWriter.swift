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

    private var lines: LineBuffer

    /// - Parameter file: nil keeps the lines until another writer absorbs them.
    public init(_ file: OutputFile?) { lines = LineBuffer(file) }

    public var failure: OutputError? { lines.failure }
    public var isFull: Bool { lines.isFull }

    public mutating func appendHeader() { lines.text.append(Self.header) }

    public mutating func append(
        _ header: EntryHeader, key: RawSpan, bytes: UInt64, encoding: String, elements: UInt64,
        largestElementBytes: UInt64, serializedBytes: UInt64
    ) {
        lines.text.append(decimal: header.database)
        comma()
        lines.text.append(header.type.name)
        comma()
        lines.text.appendCSV(key)
        comma()
        lines.text.append(decimal: bytes)
        comma()
        lines.text.append(encoding)
        comma()
        lines.text.append(decimal: elements)
        comma()
        lines.text.append(decimal: largestElementBytes)
        comma()
        if let expiresAt = header.expiresAt { lines.text.append(timeInMilliseconds: expiresAt) }
        comma()
        lines.text.append(decimal: serializedBytes)
        comma()
        if let idle = header.idleSeconds { lines.text.append(decimal: idle) }
        comma()
        if let frequency = header.lfuFrequency { lines.text.append(decimal: UInt64(frequency)) }
        comma()
        lines.text.append(decimal: UInt64(HashSlot.of(key)))
        lines.text.append(UInt8(ascii: "\n"))
        lines.relieve()
    }

    private mutating func comma() { lines.text.append(UInt8(ascii: ",")) }

    /// Takes over the lines of a writer that keeps them, which is empty afterwards.
    public mutating func absorb(_ other: inout KeyLineWriter) { lines.absorb(&other.lines) }

    public mutating func flush() { lines.flush() }
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
