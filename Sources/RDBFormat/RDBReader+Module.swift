public import RDBBytes
public import RDBModel

/// The opcodes that frame what a module wrote, so that it can be walked without knowing the module.
@usableFromInline
enum ModuleOpcode {
    @usableFromInline static var end: UInt64 { 0 }
    @usableFromInline static var signed: UInt64 { 1 }
    @usableFromInline static var unsigned: UInt64 { 2 }
    @usableFromInline static var float: UInt64 { 3 }
    @usableFromInline static var double: UInt64 { 4 }
    @usableFromInline static var string: UInt64 { 5 }
}

// `length module ID, parts, 0`. Source: formats/encodings.md §11.
extension RDBReader {
    @inlinable @inline(never)
    mutating func readModule<V: ValueVisitor & ~Copyable>(into visitor: inout V) throws(DecodeError) {
        visitor.module(ModuleID(rawValue: try window.length()))
        while true {
            let at = window.offset
            let opcode = try window.length()
            switch opcode {
            case ModuleOpcode.end:
                visitor.endModule()
                return
            case ModuleOpcode.signed: visitor.moduleSigned(Int64(bitPattern: try window.length()))
            case ModuleOpcode.unsigned: visitor.moduleUnsigned(try window.length())
            case ModuleOpcode.float: visitor.moduleFloat(Float(bitPattern: try window.littleEndian(UInt32.self)))
            case ModuleOpcode.double: visitor.moduleDouble(Double(bitPattern: try window.littleEndian(UInt64.self)))
            case ModuleOpcode.string: try readText(as: .modulePart, into: &visitor)
            default: throw window.badModuleOpcode(at, opcode)
            }
        }
    }
}

extension ByteWindow {
    /// Steps over parts up to and including their end.
    mutating func skipModuleParts() throws(DecodeError) {
        while true {
            let at = offset
            let opcode = try length()
            switch opcode {
            case ModuleOpcode.end: return
            case ModuleOpcode.signed, ModuleOpcode.unsigned: _ = try length()
            case ModuleOpcode.float: try skip(4)
            case ModuleOpcode.double: try skip(8)
            case ModuleOpcode.string: try skipString()
            default: throw badModuleOpcode(at, opcode)
            }
        }
    }

    @usableFromInline @inline(never)
    func badModuleOpcode(_ offset: UInt64, _ found: UInt64) -> DecodeError {
        DecodeError(
            .badModule, at: location(at: offset), expected: "a module opcode of 0 to 5", found: .unsigned(found))
    }
}
