import RDBBytes

/// The cluster slot of a key: CRC-16 (XMODEM) of its hash tag, or of the whole key, modulo 16384.
public enum HashSlot {
    public static let count = 16384

    private static let table: [UInt16] = (0..<256).map { byte in
        var crc = UInt16(byte) << 8
        for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        return crc
    }

    /// Only what stands between the first `{` and the next `}` counts, unless that is empty.
    public static func of(_ key: RawSpan) -> Int {
        var range = 0..<key.byteCount
        if let open = range.first(where: { key.byte(at: $0) == UInt8(ascii: "{") }),
            let close = (open + 1..<key.byteCount).first(where: { key.byte(at: $0) == UInt8(ascii: "}") }),
            close > open + 1
        {
            range = open + 1..<close
        }
        var crc: UInt16 = 0
        for index in range { crc = crc << 8 ^ table[Int(crc >> 8 ^ UInt16(key.byte(at: index)))] }
        return Int(crc) % count
    }
}
