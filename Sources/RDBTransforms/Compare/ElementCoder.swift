import RDBBytes
import RDBModel

// How elements stand in a `RecordSorter`: a path, which says what is compared with what and in which order it is told,
// and a payload.
//
//     path:     section, components or numbers
//     component: 1, the text, escaped; or for a text of more than 1 MiB 2, its first 1 KiB and its digest, escaped;
//               then 0 0. Escaped: 0 is 0 255, so that texts stay in order and none is another's beginning.
//     number:   8 bytes, big endian
//     payload:  side, then by section; the names of a path whose components are not whole come first
//     text:     u32 count, bytes; or 2^32-1, u64 offset in the file of long texts, u64 count, 128-bit digest
//
// All numbers in payloads are little endian.

/// What kind of element a path leads to. The order of the sections is the order in which changes are told.
enum ElementSection: UInt8 {
    case whole = 0x10
    case listElement, member, scoredMember, field, pathField, arrayElement, insertIndex
    case streamEntry = 0x20
    case streamState, group, consumer, pendingEntry, owner, unowned, idempotence, producerEntry
    case module = 0x30
    case modulePart, number
}

enum ElementCoder {
    /// Longer texts go to a file of their own.
    static let maxTextByteCount = ByteWindow.maxContiguousByteCount
    static let longMark = UInt32.max
    static let prefixByteCount = 1 << 10
    static let absent = UInt64.max
    static let noExpiry = Int64.min

    static func append(component text: RawSpan, mark: UInt8, to out: inout OutputBuffer) {
        out.append(mark)
        var plainFrom = 0
        for index in 0..<text.byteCount where text.byte(at: index) == 0 {
            out.append(text.extracting(plainFrom..<index + 1))
            out.append(UInt8(0xff))
            plainFrom = index + 1
        }
        out.append(text.extracting(plainFrom..<text.byteCount))
        out.append(UInt8(0))
        out.append(UInt8(0))
    }

    static func append(bigEndian number: UInt64, to out: inout OutputBuffer) {
        out.append(littleEndian: number.byteSwapped)
    }

    static func append(_ text: StoredText, to out: inout OutputBuffer) {
        switch text {
        case .inMemory(let bytes):
            out.append(littleEndian: UInt32(bytes.count))
            out.append(bytes)
        case .inFile(_, let range, let digest):
            out.append(littleEndian: longMark)
            out.append(littleEndian: range.lowerBound)
            out.append(littleEndian: UInt64(range.count))
            out.append(littleEndian: digest.low)
            out.append(littleEndian: digest.high)
        }
    }
}

/// Reads a path or a payload back. What is read was written by this program: a fault is its own.
struct ElementDecoder {
    private let bytes: [UInt8]
    private var index: Int
    private let longTexts: SpillFile

    init(_ bytes: RawSpan, from index: Int, longTexts: SpillFile) {
        self.bytes = bytes.array
        self.index = index
        self.longTexts = longTexts
    }

    var isAtEnd: Bool { index == bytes.count }

    mutating func byte() -> UInt8 {
        index += 1
        return bytes[index - 1]
    }

    mutating func number() -> UInt64 {
        index += 8
        return (1...8).reduce(0) { $0 << 8 | UInt64(bytes[index - $1]) }
    }

    mutating func signed() -> Int64 { Int64(bitPattern: number()) }
    mutating func bigEndian() -> UInt64 { number().byteSwapped }

    mutating func optional() -> UInt64? {
        byte() == 0 ? nil : number()
    }

    mutating func id() -> StreamID { StreamID(milliseconds: number(), sequence: number()) }
    mutating func bigEndianID() -> StreamID { StreamID(milliseconds: bigEndian(), sequence: bigEndian()) }

    mutating func text() -> StoredText {
        let count = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[index + $1]) << ($1 * 8) }
        index += 4
        if count == ElementCoder.longMark {
            let offset = number()
            let count = number()
            let low = number()
            return .inFile(longTexts, offset..<offset + count, Digest128(high: number(), low: low))
        }
        index += Int(count)
        return .inMemory(Array(bytes[index - Int(count)..<index]))
    }

    /// nil where the text stands in the payload.
    mutating func component() -> [UInt8]? {
        let isWhole = byte() == 1
        var text: [UInt8] = []
        while true {
            let next = byte()
            if next == 0, byte() == 0 { break }
            text.append(next)
        }
        return isWhole ? text : nil
    }
}
