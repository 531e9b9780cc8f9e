internal import Glibc

/// Turns bytes of a connection into replies, however they arrive.
///
/// An aggregate whose end has not arrived yet is parsed again from its beginning after more bytes;
/// the buffer doubles, so that this stays cheap.
package struct RESPParser {
    private var buffer = Bytes()
    private var position = 0
    private var fillSize = 1 << 16

    package init() {}

    /// Makes room, lets `read` fill some of it and keeps what it says it wrote.
    package mutating func fill(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows {
        if position > 0 {
            buffer.removeFirst(position)
            position = 0
        }
        let start = buffer.count
        fillSize = max(1 << 16, start)
        buffer += Bytes(repeating: 0, count: fillSize)
        var kept = 0
        defer { buffer.removeLast(fillSize - kept) }
        kept = try buffer.withUnsafeMutableBytes { try read(UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
    }

    package mutating func append(_ bytes: Bytes) {
        buffer += bytes
    }

    /// The next whole reply; nil if its end has not arrived.
    ///
    /// - Throws: `HarnessError` for bytes that are no RESP.
    package mutating func next() throws -> RESPValue? {
        let start = position
        guard let value = try parse() else {
            position = start
            return nil
        }
        return value
    }

    private mutating func parse() throws -> RESPValue? {
        guard let line = takeLine() else { return nil }
        guard let marker = line.first else { throw HarnessError("an empty line instead of a reply") }
        switch marker {
        case UInt8(ascii: "$"), UInt8(ascii: "!"), UInt8(ascii: "="):
            return try parseBulk(marker, count: try number(line))
        case UInt8(ascii: ":"): return .integer(Int64(try number(line)))
        case UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "|"):
            return try parseAggregate(marker, count: try number(line))
        default: break
        }
        let text = String(decoding: line.dropFirst(), as: UTF8.self)
        switch marker {
        case UInt8(ascii: "+"): return .simple(text)
        case UInt8(ascii: "-"): return .error(text)
        case UInt8(ascii: "_"): return .null
        case UInt8(ascii: "("): return .bigNumber(text)
        case UInt8(ascii: "#"): return .boolean(text == "t")
        case UInt8(ascii: ","):
            guard let value = Double(exactly: text) else { throw HarnessError("not a double: \(text)") }
            return .double(value)
        default:
            throw HarnessError("not a reply: \(Bytes(line).quoted)")
        }
    }

    private mutating func parseBulk(_ marker: UInt8, count: Int) throws -> RESPValue? {
        if count < 0 { return .null }
        guard buffer.count - position >= count + 2 else { return nil }
        let bytes = Bytes(buffer[position..<position + count])
        position += count + 2
        switch marker {
        case UInt8(ascii: "!"): return .error(String(decoding: bytes, as: UTF8.self))
        case UInt8(ascii: "="):
            guard count >= 4 else { throw HarnessError("a verbatim string without its form") }
            return .verbatim(String(decoding: bytes.prefix(3), as: UTF8.self), Bytes(bytes.dropFirst(4)))
        default: return .bulk(bytes)
        }
    }

    private mutating func parseAggregate(_ marker: UInt8, count: Int) throws -> RESPValue? {
        if count < 0 { return .null }
        let isPairs = marker == UInt8(ascii: "%") || marker == UInt8(ascii: "|")
        var elements: [RESPValue] = []
        for _ in 0..<(isPairs ? count * 2 : count) {
            guard let element = try parse() else { return nil }
            elements.append(element)
        }
        switch marker {
        case UInt8(ascii: "%"): return .map(elements)
        case UInt8(ascii: "~"): return .set(elements)
        case UInt8(ascii: ">"): return .push(elements)
        case UInt8(ascii: "|"): return try parse()  // Attributes say something about the reply after them.
        default: return .array(elements)
        }
    }

    private mutating func takeLine() -> ArraySlice<UInt8>? {
        let remaining = buffer.count - position
        guard remaining > 0 else { return nil }
        let length = buffer.withUnsafeBytes { bytes -> Int? in
            let start = bytes.baseAddress! + position
            guard let end = memchr(start, Int32(UInt8(ascii: "\r")), remaining) else { return nil }
            let length = UnsafeRawPointer(end) - start
            return length + 1 < remaining ? length : nil
        }
        guard let length else { return nil }
        defer { position += length + 2 }
        return buffer[position..<position + length]
    }

    /// The decimal number after the marker.
    private func number(_ line: ArraySlice<UInt8>) throws -> Int {
        let isNegative = line.count > 1 && line[line.startIndex + 1] == UInt8(ascii: "-")
        var value = 0
        var digits = 0
        for index in line.startIndex + (isNegative ? 2 : 1)..<line.endIndex {
            let digit = Int(line[index]) - 0x30
            // Negative on the way, for the sake of the smallest number.
            let (shifted, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = shifted.subtractingReportingOverflow(digit)
            guard (0...9).contains(digit), !overflows, !overflowsToo else { break }
            value = sum
            digits += 1
        }
        guard digits > 0, digits == line.count - (isNegative ? 2 : 1), isNegative || value != .min else {
            throw HarnessError("not a number: \(Bytes(line).quoted)")
        }
        return isNegative ? value : -value
    }
}
