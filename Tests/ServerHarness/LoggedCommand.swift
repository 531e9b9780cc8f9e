/// A command of a log, as a plain reader of the format and as the program under test give it.
package struct LoggedCommand: Equatable, Sendable, CustomStringConvertible {
    package var offset: Int
    package var database: Int
    package var time: Int?
    package var transaction: Int?
    package var arguments: [Bytes]
    /// Behind its last byte.
    package var end: Int

    package var description: String {
        let words = arguments.prefix(6).map { Bytes($0.prefix(40)).quoted }.joined(separator: " ")
        return "\(offset): db \(database) time \(time ?? -1) transaction \(transaction ?? 0): \(words)"
    }

    var name: String { String(decoding: arguments[0], as: UTF8.self).lowercased() }

    /// Reads the strict form from an offset on, byte by byte.
    ///
    /// - Parameters:
    ///   - transactions: how many groups there were in the files before.
    ///   - time: of the last annotation in them, and then in this one.
    /// - Returns: nil if the bytes do not end with a command or annotation.
    package static func read(
        _ bytes: Bytes, from start: Int, transactions: Int = 0, time: inout Int?
    ) -> [LoggedCommand]? {
        var commands: [LoggedCommand] = []
        var index = start
        var database = 0
        var count = transactions
        var open: Int?
        func line() -> String? {
            var text = ""
            while index < bytes.count, bytes[index] != 0x0d {
                text.unicodeScalars.append(UnicodeScalar(bytes[index]))
                index += 1
                if text.unicodeScalars.count > 64 { return nil }
            }
            guard index + 1 < bytes.count, bytes[index + 1] == 0x0a else { return nil }
            index += 2
            return text
        }
        while index < bytes.count {
            let offset = index
            guard let head = line() else { return nil }
            if head.hasPrefix("#TS:") {
                time = Int(head.dropFirst(4))
                continue
            }
            guard head.hasPrefix("*"), let argumentCount = Int(head.dropFirst()), argumentCount > 0 else { return nil }
            var arguments: [Bytes] = []
            for _ in 0..<argumentCount {
                guard let length = line(), length.hasPrefix("$"), let count = Int(length.dropFirst()),
                    index + count + 2 <= bytes.count
                else { return nil }
                arguments.append(Bytes(bytes[index..<index + count]))
                index += count
                guard bytes[index] == 0x0d, bytes[index + 1] == 0x0a else { return nil }
                index += 2
            }
            var command = LoggedCommand(
                offset: offset, database: database, time: time, transaction: open, arguments: arguments, end: index)
            switch command.name {
            case "select":
                database = Int(String(decoding: arguments[1], as: UTF8.self)) ?? 0
                command.database = database
            case "multi":
                count += 1
                open = count
                command.transaction = open
            case "exec": open = nil
            default: break
            }
            commands.append(command)
        }
        return commands
    }

    /// Where the commands of a file begin: behind an RDB, if one is there.
    package static func start(in bytes: Bytes) -> Int? {
        if !bytes.starts(with: "REDIS".utf8), !bytes.starts(with: "VALKEY".utf8) { return 0 }
        // The end byte and eight of checksum stand before the first place from which all is commands.
        var time: Int?
        for index in bytes.indices.dropFirst(18) where bytes[index] == 0x2a || bytes[index] == 0x23 {
            if bytes[index - 9] == 0xff, read(bytes, from: index, time: &time) != nil { return index }
        }
        return bytes.count
    }

    /// The lines of `rdbkit aof list`, by file name.
    package static func parse(_ lines: Bytes) throws -> [(file: String, command: LoggedCommand)] {
        try lines.split(separator: 0x0a).map { line in
            let fields = try JSONFields(try JSONValue(parsing: Bytes(line)))
            let arguments = try JSONFields.elements(of: try fields.required("args")).map { try JSONFields.text($0) }
            let order = ["file", "offset", "db", "time", "transaction", "command", "args"]
            guard fields.names == order.filter({ fields[$0] != nil }) else {
                throw HarnessError("members in another order: \(fields.names)")
            }
            return (
                file: try fields.plainText("file"),
                command: LoggedCommand(
                    offset: Int(try fields.integer("offset")), database: Int(try fields.integer("db")),
                    time: try fields.optionalInteger("time").map { Int($0) },
                    transaction: try fields.optionalInteger("transaction").map { Int($0) },
                    arguments: [try fields.text("command")] + arguments, end: 0)
            )
        }
    }
}
