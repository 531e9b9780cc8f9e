public import Testing

/// One small file with what it decodes to, worked out by hand from the format documents.
public struct Specimen: Sendable, CustomTestStringConvertible {
    public var name: String
    public var bytes: [UInt8]
    /// `Transcript.events`.
    public var events: [String]
    /// JSON Lines.
    public var json: String

    public var testDescription: String { name }

    /// A whole file.
    public init(_ name: String, _ bytes: [UInt8], events: [String], json: String) {
        self.name = name
        self.bytes = bytes
        self.events = events
        self.json = json
    }

    /// A file of one entry named `k`.
    /// - Parameters:
    ///   - words: the value's type and encoding.
    ///   - before: items before the entry, and their events.
    ///   - attributes: JSON members between the encoding and the value, each with its comma.
    public init(
        _ name: String, type: UInt8, _ value: [UInt8], _ words: (type: String, encoding: String), _ events: [String],
        json: String, magic: String = "REDIS0011", before: (bytes: [UInt8], events: [String]) = ([], []),
        attributes: String = ""
    ) {
        self.name = name
        bytes = RDBBuilder.file(magic, [before.bytes, RDB.entry(type, "k", value)])
        self.events = before.events + ["db 0 \(words.type) \(words.encoding) \"k\""] + events
        self.json =
            #"{"db":0,"key":"k","type":"\#(words.type)","encoding":"\#(words.encoding)"\#(attributes),"#
            + #""value":\#(json)}"# + "\n"
    }

    public static let all: [Specimen] =
        strings + lists + sets + sortedSets + hashes + expiringHashes + templates + streams + newerTypes + modules
        + sections + documents
}

extension Transcript {
    /// The lines without byte offsets and without the end: what a file means, not where it lies.
    public var events: [String] {
        lines.compactMap { line in
            if line.hasPrefix("ends at ") || line.hasPrefix("end without") || line.hasPrefix("end checksum") {
                return nil
            }
            guard line.hasPrefix("db "), let range = line.firstRange(of: " bytes ") else { return line }
            return String(line[..<range.lowerBound])
        }
    }
}
