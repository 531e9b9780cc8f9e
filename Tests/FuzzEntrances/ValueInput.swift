import RDBKit

/// A file around one value, so that every mutation reaches the value's decoder.
///
///     choice | value bytes   ->   head, hash template 1 (Redis), type byte, "k", value, FF, 8 zero bytes
///
/// The choice counts through types; for each of them through packings of the bytes that follow.
public enum ValueInput {
    public struct File {
        public var bytes: [UInt8]
        /// As in `Arrival`.
        public var choice: UInt8
    }

    enum Packing: Int, CaseIterable {
        /// The bytes are the value as it stands.
        case raw
        /// They are what is packed inside it: lengths and totals around them are put right.
        case packed
        /// The same as an LZF block.
        case compressed
    }

    static let types: [(head: String, byte: UInt8)] =
        [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21].map { ("REDIS0011", $0) }
        + [22, 23, 24, 25, 26, 27, 28, 29, 34, 64].map { ("REDIS0014", $0) } + [30, 32].map { ("REDIS0015", $0) }
        + [22, 23].map { ("VALKEY081", $0) }

    /// Nil where there is nothing but the choice.
    public static func file(_ input: [UInt8]) -> File? {
        guard let choice = input.first else { return nil }
        let (head, type) = types[Int(choice) % types.count]
        let turn = Int(choice) / types.count
        let packing = Packing(rawValue: turn % Packing.allCases.count)!
        var bytes = Array(head.utf8)
        // Template 1 has the fields "a" and "b".
        if head.hasPrefix("REDIS") { bytes += [0xf2, 1, 2, 1, 0x61, 1, 0x62] }
        bytes += [type, 1, 0x6b]
        bytes += value(Array(input.dropFirst()), type, packing)
        bytes += [0xff, 0, 0, 0, 0, 0, 0, 0, 0]
        // A small window and small pieces, or everything at once; a source that can go back, or one that cannot.
        return File(bytes: bytes, choice: turn / Packing.allCases.count & 1 == 0 ? 0x3f : 0x4a)
    }

    private static func value(_ content: [UInt8], _ type: UInt8, _ packing: Packing) -> [UInt8] {
        if packing == .raw { return content }
        switch type {
        case 0, 9, 11: return string(content, packing)
        case 10, 12, 13, 16, 17, 20, 23, 30: return string(withTotal(content), packing)
        case 14: return [1] + string(withTotal(content), packing)
        case 18: return [1, 2] + string(withTotal(content), packing)
        case 25: return [UInt8](repeating: 0, count: 8) + string(withTotal(content), packing)
        case 15, 19, 21, 26, 27:
            let node = [1, 16] + [UInt8](repeating: 0, count: 16) + string(withTotal(content), packing)
            // No entries, no groups, no producers.
            return node + [UInt8](repeating: 0, count: 16)
        default: return content
        }
    }

    /// Listpacks and ziplists begin with their size.
    private static func withTotal(_ content: [UInt8]) -> [UInt8] {
        guard content.count >= 4 else { return content }
        return (0..<4).map { UInt8(truncatingIfNeeded: content.count >> (8 * $0)) } + content.dropFirst(4)
    }

    private static func string(_ content: [UInt8], _ packing: Packing) -> [UInt8] {
        guard packing == .compressed, let block = LZF.compress(content, maxByteCount: content.count + 64) else {
            return length(content.count) + content
        }
        return [0xc3] + length(block.count) + length(content.count) + block
    }

    private static func length(_ count: Int) -> [UInt8] {
        [0x80] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
    }
}
