public import RDBBytes
import RDBFormat
import RDBKit
import RDBModel
import RDBSinks

/// Ways through a file that a command can take, for inputs of which only the end matters: a result or an error.
public enum Walk: Sendable, CaseIterable {
    case skip, check, json, jsonSkippingFaults, keys, digest, redisDigest, commands, restores

    /// - Returns: the fault that ended the walk.
    public func run(_ bytes: [UInt8], windowByteCount: Int = 1024) -> DecodeError? {
        do throws(DecodeError) {
            var reader = try RDBReader(MemorySource(bytes), windowByteCount: windowByteCount)
            var loop = EntryLoop(selection: Selection(now: 0))
            do throws(EntryFault) {
                switch self {
                case .skip:
                    var consumer = Skipper()
                    _ = try loop.run(&reader, &consumer)
                case .keys:
                    var consumer = SummaryConsumer(version: reader.version, now: 0)
                    _ = try loop.run(&reader, &consumer)
                case .check:
                    var consumer = CheckConsumer(version: reader.version, findsDuplicateKeys: true) { _ in }
                    _ = try loop.run(&reader, &consumer)
                case .json, .jsonSkippingFaults:
                    if self == .jsonSkippingFaults { loop.onError = .skip }
                    var consumer = JSONConsumer(JSONEntryWriter(detachedWith: JSONOptions()))
                    _ = try loop.run(&reader, &consumer)
                case .digest:
                    var consumer = DigestConsumer(
                        EntryDigest(), lines: DigestLineWriter(nil, format: .json), writesKeys: false)
                    _ = try loop.run(&reader, &consumer)
                    consumer.writeTotals(perDatabase: true, countsFunctions: true)
                case .redisDigest:
                    let rules = RedisDigest.Rules(writerOf: reader.version)
                    var consumer = DigestConsumer(
                        RedisDigest(rules), lines: DigestLineWriter(nil, format: .text), writesKeys: true)
                    _ = try loop.run(&reader, &consumer)
                case .commands, .restores:
                    if self == .commands { loop.onError = .skip }
                    var options = CommandOptions()
                    options.target = ServerVersion(.redis, 8, 8)
                    options.stagingByteCount = self == .commands ? 20 : 4 << 20
                    options.pendingCount = 2
                    guard
                        var consumer = try? RESPConsumer(
                            CollectedCommands(), form: self == .commands ? .commands : .restore, options: options,
                            hasTarget: true, now: 0)
                    else { preconditionFailure("a consumer without a pattern") }
                    _ = try loop.run(&reader, &consumer)
                    consumer.writer.flush()
                }
            } catch { return error.error }
            return nil
        } catch { return error }
    }

    private struct Skipper: EntryConsumer {
        mutating func consume(_ reader: inout RDBReader) throws(DecodeError) { try reader.skipValue() }
    }
}

extension [UInt8] {
    /// Indices to damage: all of a small file, the ends and a sample of the middle of a larger one.
    public var sampledIndices: [Int] {
        if count < 800 { return [Int](indices) }
        return indices.filter { $0 < 60 || $0 >= count - 60 || $0 % (count / 40) == 0 }
    }
}
