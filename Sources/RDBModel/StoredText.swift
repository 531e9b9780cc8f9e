public import RDBBytes

/// A text of an element, of any length: in memory, or where its bytes lie in a temporary file.
public enum StoredText: Equatable, Sendable {
    case inMemory([UInt8])
    case inFile(SpillFile, Range<UInt64>, Digest128)

    public var byteCount: UInt64 {
        switch self {
        case .inMemory(let bytes): UInt64(bytes.count)
        case .inFile(_, let range, _): UInt64(range.count)
        }
    }

    /// The first bytes, all of them where the text is short.
    public func prefix(_ count: Int) throws(SpillError) -> [UInt8] {
        switch self {
        case .inMemory(let bytes): return Array(bytes.prefix(count))
        case .inFile(let file, let range, _):
            return try file.bytes(range.lowerBound..<min(range.upperBound, range.lowerBound + UInt64(count)))
        }
    }

    /// A part of the text.
    public func bytes(_ range: Range<UInt64>) throws(SpillError) -> [UInt8] {
        switch self {
        case .inMemory(let bytes): return Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
        case .inFile(let file, let whole, _):
            return try file.bytes(whole.lowerBound + range.lowerBound..<whole.lowerBound + range.upperBound)
        }
    }

    /// Calls `body` with the text in pieces.
    public func forEachPiece(_ body: (RawSpan) -> Void) throws(SpillError) {
        switch self {
        case .inMemory(let bytes): body(bytes.rawSpan)
        case .inFile(let file, let range, _):
            var from = range.lowerBound
            while from < range.upperBound {
                let to = min(range.upperBound, from + 256 << 10)
                let piece = try file.bytes(from..<to)
                body(piece.rawSpan)
                from = to
            }
        }
    }

    /// By length and bytes; of texts in files by their 128-bit digests.
    public static func == (left: StoredText, right: StoredText) -> Bool {
        switch (left, right) {
        case (.inMemory(let a), .inMemory(let b)): a == b
        case (.inFile(_, let a, let first), .inFile(_, let b, let second)): a.count == b.count && first == second
        default: false
        }
    }
}
