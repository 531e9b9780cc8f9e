import RDBBytes
import RDBModel
import RESPFormat

extension OutputBuffer {
    /// `ms-seq`
    mutating func append(_ id: StreamID) {
        append(decimal: id.milliseconds)
        append(UInt8(ascii: "-"))
        append(decimal: id.sequence)
    }

    /// The same as a command's argument.
    mutating func appendArgument(_ id: StreamID) {
        let count = Digits.byteCount(id.milliseconds) + 1 + Digits.byteCount(id.sequence)
        beginArgument(byteCount: UInt64(count))
        append(id)
        append("\r\n")
    }
}
