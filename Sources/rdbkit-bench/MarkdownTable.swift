/// Rows of cells, the first one the head, as a Markdown table that is also straight in a terminal. The columns but the
/// first and the last two hold numbers, which are set to the right.
struct MarkdownTable {
    private let rows: [[String]]

    init(_ rows: [[String]]) { self.rows = rows }

    private func isNumber(_ column: Int) -> Bool { (1..<rows[0].count - 2).contains(column) }

    var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
        var text = ""
        for (index, row) in rows.enumerated() {
            text += line(row, widths)
            if index == 0 {
                let rule = widths.enumerated().map { column, width in
                    isNumber(column)
                        ? String(repeating: "-", count: width - 1) + ":" : String(repeating: "-", count: width)
                }
                text += line(rule, widths)
            }
        }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = cells.enumerated().map { column, cell in
            let padding = String(repeating: " ", count: widths[column] - cell.count)
            return isNumber(column) ? padding + cell : cell + padding
        }
        return "| " + padded.joined(separator: " | ") + " |\n"
    }
}
