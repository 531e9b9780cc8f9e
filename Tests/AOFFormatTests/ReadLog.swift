import AOFFormat
import RDBBytes
import RDBFormat
import RESPFormat

/// A command and what holds for it.
struct LoggedCommand: Equatable, CustomStringConvertible {
    var record: AOFRecord
    var words: [String]
    var isIrregular: Bool

    var description: String {
        let time = record.time.map { " time \($0)" } ?? ""
        let transaction = record.transaction.map { " in \($0)" } ?? ""
        return "\(record.offset)+\(record.byteCount) db \(record.database)\(time)\(transaction): "
            + words.joined(separator: " ") + (isIrregular ? " (!)" : "")
    }
}

struct ReadLog {
    var commands: [LoggedCommand] = []
    var error: DecodeError?
    var safeCut: UInt64 = 0
    var openTransaction: UInt64?
    var context = AOFContext()

    /// Words only.
    var words: [String] { commands.map { $0.words.joined(separator: " ") } }

    init(_ reader: consuming AOFReader) {
        do throws(DecodeError) {
            while let record = try reader.next() {
                let words = reader.arguments.arrays.map { String(decoding: $0, as: UTF8.self) }
                commands.append(
                    LoggedCommand(record: record, words: words, isIrregular: reader.irregularity != nil))
            }
        } catch { self.error = error }
        safeCut = reader.safeCut
        openTransaction = reader.openTransactionOffset
        context = reader.context
    }

    init(
        _ bytes: [UInt8], delivery: AOFReader.Delivery = .all, context: AOFContext = AOFContext(),
        window: Int = 256 << 10, piece: Int = .max
    ) {
        self.init(
            AOFReader(
                ByteWindow(MemorySource(bytes, pieceByteCount: piece), initialByteCount: window), context: context,
                delivery: delivery))
    }
}
