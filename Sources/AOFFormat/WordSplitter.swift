/// Words as the servers split configuration lines: apart by blanks, or in quotes. In double quotes stand `\xHH`, `\n`,
/// `\r`, `\t`, `\a`, `\b`, and a backslash before any other byte; in single quotes only `\'`.
/// Source: redis/redis src/sds.c, sdssplitargs.
enum WordSplitter {
    /// nil where a quote is not closed, or something stands right behind a closed one.
    static func split(_ line: ArraySlice<UInt8>) -> [[UInt8]]? {
        var words: [[UInt8]] = []
        var rest = line
        while true {
            rest = rest.drop(while: isBlank)
            guard !rest.isEmpty, rest.first != 0 else { return words }
            guard let word = takeWord(&rest) else { return nil }
            words.append(word)
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0d ~= byte }

    private static func takeWord(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        var word: [UInt8] = []
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                rest = rest.dropFirst()
                guard takeQuoted(&rest, byte, &word) else { return nil }
                return word
            case 0x20, 0x09, 0x0a, 0x0d, 0: return word
            default:
                word.append(byte)
                rest = rest.dropFirst()
            }
        }
        return word
    }

    private static func takeQuoted(_ rest: inout ArraySlice<UInt8>, _ quote: UInt8, _ word: inout [UInt8]) -> Bool {
        while let byte = rest.popFirst() {
            if byte == quote { return rest.first.map { isBlank($0) || $0 == 0 } ?? true }
            guard byte == UInt8(ascii: "\\"), let next = rest.first else {
                word.append(byte)
                continue
            }
            if quote == UInt8(ascii: "'") {
                if next == quote {
                    word.append(quote)
                    rest = rest.dropFirst()
                } else {
                    word.append(byte)
                }
                continue
            }
            rest = rest.dropFirst()
            word.append(unescaped(next, &rest))
        }
        return false
    }

    private static func unescaped(_ letter: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8 {
        switch letter {
        case UInt8(ascii: "x"):
            let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            guard digits.count == 2 else { return letter }
            rest = rest.dropFirst(2)
            return UInt8(digits[0] << 4 | digits[1])
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "a"): return 0x07
        case UInt8(ascii: "b"): return 0x08
        default: return letter
        }
    }

    /// A word that `split` gives back: in double quotes where it must be.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { 0x21...0x7e ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        // A quote within a word is one for servers as well.
        if isPlain, !word.isEmpty, !word.contains("'") { return word }
        var text = "\""
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += "\\" + String(UnicodeScalar(byte))
            case 0x20...0x7e: text += String(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return text + "\""
    }
}
