public import RDBBytes

/// A page that shows a report in a browser, all in one file: text, style, script and data. It loads nothing and may not.
///
/// The data is JSON in an element of its own, with `<`, `>`, `&` and the separators U+2028 and U+2029 escaped, so that no
/// key can end the element, begin another or become script. The script writes all of it as text.
public enum ReportPage {
    /// Appends the page.
    /// - Parameters:
    ///   - title: shown by the browser.
    ///   - data: what the page's script reads, see `ReportScript`.
    public static func append(title: String, data: JSONValue, to out: inout OutputBuffer) {
        var json = OutputBuffer(capacity: 256 << 10)
        data.append(to: &json)
        out.append(ReportSkeleton.head)
        appendHTML(title, to: &out)
        out.append(ReportSkeleton.style)
        out.append(ReportStyle.text)
        out.append(ReportSkeleton.body)
        appendScriptData(json.bytes, to: &out)
        out.append(ReportSkeleton.script)
        out.append(ReportScript.basics)
        out.append(ReportScript.treemap)
        out.append(ReportScript.charts)
        out.append(ReportScript.tables)
        out.append(ReportScript.page)
        out.append(ReportSkeleton.end)
    }

    /// JSON that stands in a script element.
    static func appendScriptData(_ json: RawSpan, to out: inout OutputBuffer) {
        var index = 0
        let count = json.byteCount
        while index < count {
            let byte = json.byte(at: index)
            switch byte {
            case UInt8(ascii: "<"): out.append("\\u003c")
            case UInt8(ascii: ">"): out.append("\\u003e")
            case UInt8(ascii: "&"): out.append("\\u0026")
            case 0xe2 where isSeparator(json, index):
                out.append(json.byte(at: index + 2) == 0xa8 ? "\\u2028" : "\\u2029")
                index += 2
            default: out.append(byte)
            }
            index += 1
        }
    }

    /// U+2028 and U+2029 are e2 80 a8 and e2 80 a9.
    private static func isSeparator(_ json: RawSpan, _ index: Int) -> Bool {
        index + 2 < json.byteCount && json.byte(at: index + 1) == 0x80 && json.byte(at: index + 2) & 0xfe == 0xa8
    }

    private static func appendHTML(_ text: String, to out: inout OutputBuffer) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): out.append("&lt;")
            case UInt8(ascii: ">"): out.append("&gt;")
            case UInt8(ascii: "&"): out.append("&amp;")
            case UInt8(ascii: "\""): out.append("&quot;")
            case 0..<0x20, 0x7f: out.append(" ")
            default: out.append(byte)
            }
        }
    }
}
