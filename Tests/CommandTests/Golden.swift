import Testing

/// Layout that is compared byte for byte with a file in testdata/golden: the command, what it wrote, how it ended.
/// `make golden` rewrites the files; the difference is then read.
enum Golden {
    static let rewrites = environment("RDBKIT_GOLDEN") == "rewrite"

    static func expect(
        _ name: String, _ arguments: [String], input: Program.Feed = .nothing, in folder: String = Checkout.demo,
        environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try Program.run(arguments, input: input, in: folder, environment: environment)
        let words = arguments.map { word in
            word.allSatisfy { $0.isLetter || $0.isNumber || "-_./:=+".contains($0) } ? word : "'\(word)'"
        }
        var text = "$ rdbkit \(words.joined(separator: " "))\n\(run.text)"
        if !run.errors.isEmpty { text += "--- standard error\n\(run.errors)" }
        text += "--- status \(run.status)\n"
        let path = "\(Checkout.golden)/\(name).txt"
        if rewrites { return try writeFile(path, Array(text.utf8)) }
        let expected = String(decoding: try readFile(path), as: UTF8.self)
        guard text != expected else { return }
        Issue.record(
            "differs from testdata/golden/\(name).txt:\n\(difference(expected, text))", sourceLocation: sourceLocation)
    }

    private static func difference(_ expected: String, _ found: String) -> String {
        let (old, new) = (
            expected.split(separator: "\n", omittingEmptySubsequences: false),
            found.split(separator: "\n", omittingEmptySubsequences: false)
        )
        var text = ""
        for change in new.difference(from: old) {
            switch change {
            case .remove(let line, let words, _): text += "-\(line + 1) \(words)\n"
            case .insert(let line, let words, _): text += "+\(line + 1) \(words)\n"
            }
        }
        return text
    }
}
