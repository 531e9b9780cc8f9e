import RDBKit

/// A value that was read in slices and lies in a temporary file.
final class SpooledValue {
    let header: EntryHeader
    let typeByte: UInt8
    let key: [UInt8]
    /// What stands before what the file holds.
    private let beginning: [UInt8]
    private let file: SpillFile
    private var position: UInt64 = 0
    private var hasBegun = false

    private static let pieceByteCount: UInt64 = 256 << 10

    init(_ header: EntryHeader, typeByte: UInt8, key: [UInt8], beginning: [UInt8], _ file: SpillFile) {
        self.header = header
        self.typeByte = typeByte
        self.key = key
        self.beginning = beginning
        self.file = file
    }

    /// Appends the next piece.
    /// - Returns: whether it was the last one.
    func append(to writer: inout RDBWriter) throws(SpillError) -> Bool {
        if !hasBegun {
            hasBegun = true
            let key = key
            writer.beginEntry(header, typeByte: typeByte, key: key.rawSpan)
            writer.out.append(beginning)
        }
        let count = Int(min(Self.pieceByteCount, file.byteCount - position))
        if count > 0 {
            var piece = [UInt8](repeating: 0, count: count)
            let result = unsafe piece.withUnsafeMutableBytes { buffer -> Result<Void, SpillError> in
                do throws(SpillError) { return .success(unsafe try file.read(at: position, into: buffer)) } catch {
                    return .failure(error)
                }
            }
            try result.get()
            writer.out.append(piece)
            position += UInt64(count)
        }
        return position == file.byteCount
    }
}
