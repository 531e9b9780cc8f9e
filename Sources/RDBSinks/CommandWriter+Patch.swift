public import RDBBytes
public import RDBModel
import RESPFormat

// Commands that change what stands at a key, one by one. Where a value is made anew, `begin` and `end` do it.
extension CommandWriter {
    /// The commands that follow are about this key.
    public mutating func beginPatch(key: RawSpan) {
        losses = []
        keyArgument.truncate(to: 0)
        keyArgument.appendArgument(key)
    }

    /// A command of the present key; its further arguments follow.
    /// - Parameter argumentCount: the arguments behind the key.
    public mutating func patch(_ name: StaticString, argumentCount: Int) {
        relievePatch()
        beginCommand(name, 1 + argumentCount)
    }

    /// A command with a word before the key, such as XGROUP SETID.
    public mutating func patch(_ name: StaticString, _ word: StaticString, argumentCount: Int) {
        relievePatch()
        out.beginCommand(3 + argumentCount)
        out.appendArgument(name)
        out.appendArgument(word)
        out.append(keyArgument, 0..<keyArgument.byteCount)
        commandCount += 1
    }

    /// A command about no key.
    public mutating func command(_ words: String...) {
        relievePatch()
        out.beginCommand(words.count)
        for word in words { out.appendArgument(word) }
        commandCount += 1
    }

    public mutating func patch(argument text: StoredText) throws(SpillError) {
        out.beginArgument(byteCount: text.byteCount)
        // A closure cannot have the writer while this method does.
        var piece = OutputBuffer(capacity: 64)
        swap(&piece, &out)
        defer { swap(&piece, &out) }
        try text.forEachPiece { piece.append($0) }
        piece.append("\r\n")
    }

    public mutating func patch(argument word: StaticString) { out.appendArgument(word) }
    public mutating func patch(argument id: StreamID) { out.appendArgument(id) }
    public mutating func patch(argument value: Int64) { out.appendArgument(decimal: value) }

    public mutating func patch(score: Double) {
        number.truncate(to: 0)
        number.append(decimal: score)
        out.appendArgument(number)
    }

    private mutating func relievePatch() {
        if out.byteCount >= Self.flushByteCount { flush() }
        entryStart = out.byteCount
        entryCommands = commandCount
    }

    /// After the last command of a key.
    public mutating func endPatch() { relievePatch() }
}
