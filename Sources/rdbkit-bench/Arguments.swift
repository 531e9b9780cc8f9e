/// The words after the command: options with a value, options without, nothing else.
struct Arguments {
    private var values: [String: String] = [:]

    /// - Parameters:
    ///   - words: the command line after the command's name.
    ///   - valued: the options that take a value, as `--name VALUE` or `--name=VALUE`.
    ///   - flags: the options that take none.
    init(_ words: some Sequence<String>, valued: Set<String>, flags: Set<String> = []) throws(BenchError) {
        var rest = words.makeIterator()
        while let word = rest.next() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            let name = parts.first ?? ""
            if flags.contains(name) && parts.count == 1 {
                values[name] = ""
            } else if valued.contains(name) {
                guard let value = parts.count == 2 ? parts[1] : rest.next() else {
                    throw .usage("\(name) needs a value")
                }
                values[name] = value
            } else {
                throw .usage("unknown argument: \(word)")
            }
        }
    }

    func has(_ flag: String) -> Bool {
        values[flag] != nil
    }

    func text(_ name: String, default fallback: String) -> String {
        values[name] ?? fallback
    }

    /// A number above zero.
    func number(_ name: String, default fallback: Double) throws(BenchError) -> Double {
        guard let text = values[name] else { return fallback }
        guard let number = Double(text), number > 0, number.isFinite else {
            throw .usage("\(name) needs a number above zero, not \(text)")
        }
        return number
    }

    /// A whole number above zero.
    func count(_ name: String, default fallback: Int) throws(BenchError) -> Int {
        guard let text = values[name] else { return fallback }
        guard let number = Int(text), number > 0 else {
            throw .usage("\(name) needs a whole number above zero, not \(text)")
        }
        return number
    }

    /// Words joined by commas, each one of `choices`; all of them when the option is absent.
    func list(_ name: String, from choices: [String]) throws(BenchError) -> [String] {
        guard let text = values[name] else { return choices }
        let words = text.split(separator: ",").map(String.init)
        for word in words where !choices.contains(word) {
            throw .usage("\(name) knows \(choices.joined(separator: ",")), not \(word)")
        }
        return choices.filter(words.contains)
    }
}
