/// Instructions per input byte as they were when the file was last rewritten: one flat JSON object, case to number.
struct Baseline {
    /// In the order they are written.
    var values: [(name: String, instructionsPerByte: Double)] = []

    init() {}

    /// An empty one when there is no such file. Reads what `write` writes: one member a line.
    init(readFrom path: String) throws(BenchError) {
        for line in (readText(path) ?? "").split(separator: "\n") {
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            if parts.count == 1 { continue }
            guard parts.count == 3, let value = Double(parts[2].filter { $0.isNumber || $0 == "." }) else {
                throw .failed("\(path): not a line of a baseline: \(line)")
            }
            values.append((String(parts[1]), value))
        }
    }

    func value(_ name: String) -> Double? {
        values.first { $0.name == name }?.instructionsPerByte
    }

    func write(to path: String) throws(BenchError) {
        if let slash = path.lastIndex(of: "/") {
            try makeDirectories(String(path[..<slash]))
        }
        let lines = values.map { "  \"\($0.name)\": \(format($0.instructionsPerByte, decimals: 3))" }
        try writeBytes(Array(("{\n" + lines.joined(separator: ",\n") + "\n}\n").utf8), to: path)
    }
}
