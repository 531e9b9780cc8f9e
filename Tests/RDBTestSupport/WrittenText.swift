public import RDBBytes

/// What is appended to a small buffer, as a text.
public func writtenText(_ body: (inout OutputBuffer) -> Void) -> String {
    var buffer = OutputBuffer(capacity: 8)
    body(&buffer)
    return String(decoding: buffer.bytes.array, as: UTF8.self)
}
