/// A command in RESP form, put together by hand.
public func command(_ arguments: [[UInt8]]) -> [UInt8] {
    var bytes = Array("*\(arguments.count)\r\n".utf8)
    for argument in arguments { bytes += Array("$\(argument.count)\r\n".utf8) + argument + [13, 10] }
    return bytes
}

public func command(_ words: String...) -> [UInt8] { command(words.map { Array($0.utf8) }) }

/// A line of a log that is no command.
public func annotation(time: Int) -> [UInt8] { Array("#TS:\(time)\r\n".utf8) }
