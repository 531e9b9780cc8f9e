import RDBBytes
import RDBModel

// Everything in a file that is not an entry or an attribute of one. Layouts: formats/rdb.md §8.
extension RDBReader {
    mutating func readSection(_ opcode: UInt8, at offset: UInt64) throws(DecodeError) -> RDBItem {
        switch opcode {
        case Opcode.end:
            return .end(try readEnd())
        case Opcode.selectDatabase:
            let number = try window.length()
            select(number)
            return .selectDatabase(number)
        case Opcode.resizeDatabase:
            return .resizeDatabase(keys: try window.length(), expires: try window.length())
        case Opcode.aux:
            let name = try readKeptText(limit: Self.maxKeptByteCount)
            return .aux(AuxField(name: name, value: try readKeptText(limit: Self.maxKeptByteCount)))
        case Opcode.function:
            return .function(FunctionLibrary(code: try readKeptText(limit: Self.maxKeptByteCount)))
        case Opcode.functionPreGA:
            return .function(try readFunctionPreGA())
        case Opcode.moduleAux:
            return .moduleAux(try readModuleAux())
        case Opcode.slotInfo:
            return .slotInfo(slot: try window.length(), keys: try window.length(), expires: try window.length())
        case Opcode.keyMetadataOrSlotImport:
            return try readSlotImport()
        case Opcode.hashTemplateOrUpdate where version.family == .redis:
            return try readHashTemplate()
        case Opcode.hashTemplateOrUpdate:
            return try readInlineUpdate()
        default:
            throw DecodeError(
                .unknownOpcode, at: window.location(at: offset), expected: "an opcode this release knows",
                found: .byte(opcode))
        }
    }

    private mutating func readFunctionPreGA() throws(DecodeError) -> FunctionLibrary {
        let name = try readKeptText(limit: Self.maxKeptByteCount)
        let engine = try readKeptText(limit: Self.maxKeptByteCount)
        if try window.length() != 0 { try window.skipString() }
        let code = try readKeptText(limit: Self.maxKeptByteCount)
        return FunctionLibrary(engine: engine.text, name: name.text, code: code)
    }

    private mutating func readModuleAux() throws(DecodeError) -> ModuleAux {
        let module = ModuleID(rawValue: try window.length())
        let at = window.location
        let opcode = try window.length()
        guard opcode == ModuleOpcode.unsigned else {
            throw DecodeError(
                .badModule, at: at, expected: "opcode 2 before the time of loading", found: .unsigned(opcode))
        }
        let when = try window.length()
        try window.skipModuleParts()
        return ModuleAux(module: module, when: when)
    }

    private mutating func readSlotImport() throws(DecodeError) -> RDBItem {
        let job = try readKeptText(limit: 64)
        let count = try window.length()
        var left = count
        while left > 0 {
            _ = try window.length()
            _ = try window.length()
            left -= 1
        }
        return .slotImport(job: job.text, rangeCount: count)
    }

    /// RESP text: `*n`, then n times `$length` and that many bytes.
    private mutating func readInlineUpdate() throws(DecodeError) -> RDBItem {
        let count = try respNumber(after: UInt8(ascii: "*"))
        var left = count
        while left > 0 {
            try window.skip(try respNumber(after: UInt8(ascii: "$")))
            try window.skip(2)
            left -= 1
        }
        return .inlineUpdate(argumentCount: count)
    }

    private mutating func respNumber(after mark: UInt8) throws(DecodeError) -> UInt64 {
        let at = window.location
        var value: UInt64 = 0
        var byte = try window.byte()
        var digits = 0
        if byte == mark {
            byte = try window.byte()
            while byte >= 0x30, byte <= 0x39, digits < 18 {
                value = value * 10 + UInt64(byte - 0x30)
                digits += 1
                byte = try window.byte()
            }
            if digits > 0, byte == 0x0d, try window.byte() == 0x0a { return value }
        }
        throw DecodeError(.unknownOpcode, at: at, expected: "a command of an inline update", found: .byte(byte))
    }

    /// Redis 8.6: data of modules attached to the next key. Stepped over; the entry itself needs none of it.
    mutating func skipKeyMetadata() throws(DecodeError) {
        let at = window.location
        let count = try window.length()
        guard count <= 7 else {
            throw DecodeError(
                .badModule, at: at, expected: "at most 7 classes of key metadata", found: .unsigned(count))
        }
        for _ in 0..<count {
            try window.skip(4)
            try window.skipModuleParts()
        }
    }
}
