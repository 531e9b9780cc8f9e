/// The bytes that begin what is not an entry. Source: redis/redis src/rdb.h; formats/rdb.md §8.
enum Opcode {
    static let end: UInt8 = 255
    static let selectDatabase: UInt8 = 254
    static let expireSeconds: UInt8 = 253
    static let expireMilliseconds: UInt8 = 252
    static let resizeDatabase: UInt8 = 251
    static let aux: UInt8 = 250
    static let frequency: UInt8 = 249
    static let idle: UInt8 = 248
    static let moduleAux: UInt8 = 247
    /// Release candidates of Redis 7.0.
    static let functionPreGA: UInt8 = 246
    static let function: UInt8 = 245
    static let slotInfo: UInt8 = 244
    /// Redis: key metadata. Valkey: slot import.
    static let keyMetadataOrSlotImport: UInt8 = 243
    /// Redis: hash template. Valkey: inline update.
    static let hashTemplateOrUpdate: UInt8 = 242

    /// Redis Enterprise: one length each, before an entry.
    static let enterpriseIdle: UInt8 = 107
    static let enterpriseSlot: UInt8 = 121

    /// The lowest that the two families use; below lie types.
    static let first: UInt8 = 242

    /// What an expiry means, in Unix milliseconds, as it stands behind its opcode: -1 is none.
    static func expiry(milliseconds: Int64) -> Int64? { milliseconds == -1 ? nil : milliseconds }
    static func expiry(seconds: Int32) -> Int64? { seconds == -1 ? nil : Int64(seconds) * 1000 }
}
