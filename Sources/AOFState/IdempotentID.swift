import RDBBytes
import RDBFormat

/// The ID that Redis makes of an entry's fields for `XADD … IDMPAUTO`: the same whatever their order.
/// Source: formats/newest.md §10.4.
enum IdempotentID {
    /// 16 bytes.
    static func digest(_ fields: borrowing StreamFields) -> [UInt8] {
        var sum = XXH3.Digest(low: 0, high: 0)
        var difference = XXH3.Digest(low: 0, high: 0)
        var names = PackedTextReader(fields.names.bytes)
        var values = PackedTextReader(fields.values.bytes)
        var pair = OutputBuffer(capacity: 256)
        for _ in 0..<fields.count {
            let name = names.next()
            pair.truncate(to: 0)
            pair.append(name)
            pair.append(littleEndian: UInt64(name.byteCount))
            pair.append(values.next())
            let digest = XXH3.digest(pair.bytes)
            sum.low &+= digest.low
            sum.high &+= digest.high
            difference.low ^= digest.low
            difference.high ^= digest.high
        }
        pair.truncate(to: 0)
        pair.append(littleEndian: sum.low ^ (difference.high << 1 | difference.high >> 63))
        pair.append(littleEndian: sum.high ^ (difference.low << 1 | difference.low >> 63))
        return pair.bytes.array
    }
}
