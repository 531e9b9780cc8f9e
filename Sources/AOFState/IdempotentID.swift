import RDBBytes

enum IdempotentID {
    static func digest(_ fields: borrowing StreamFields) -> [UInt8] { [] }
}
