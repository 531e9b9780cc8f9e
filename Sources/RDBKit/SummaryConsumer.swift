public import RDBBytes
public import RDBFormat
import RDBModel
public import RDBTransforms

/// What a file is, from its sections, entry heads and lengths; values are stepped over.
public struct SummaryConsumer: EntryConsumer {
    public static var rereadsValues: Bool { false }

    public private(set) var summary = FileSummary()
    public private(set) var compatibility: ServerCompatibility
    private let now: Int64

    public init(version: RDBVersion, now: Int64) {
        compatibility = ServerCompatibility(version: version)
        self.now = now
    }

    public mutating func consume(_ reader: inout RDBReader) throws(DecodeError) {
        compatibility.add(reader.type)
        if reader.header.type == .module {
            // Its name decides who can load the file. To skip the value would walk the same parts.
            var names = ModuleNames()
            try reader.readValue(into: &names)
            if let module = names.module { compatibility.add(module) }
        } else {
            try reader.skipValue()
        }
        let valueByteCount = reader.offset - reader.header.valueOffset
        summary.add(reader.header, key: reader.key, valueByteCount: valueByteCount, now: now)
    }

    public mutating func section(_ item: RDBItem) {
        switch item {
        case .aux(let field): summary.add(field)
        case .function(let library):
            summary.add(library)
            compatibility.addFunctions()
        case .moduleAux(let aux):
            summary.add(aux)
            compatibility.add(aux.module)
        case .slotInfo: summary.slotInfoCount += 1
        case .hashTemplate: summary.hashTemplateCount += 1
        default: break
        }
    }

    public mutating func finish() { summary.finish() }

    private struct ModuleNames: ValueVisitor {
        var module: ModuleID?

        mutating func text(_ bytes: RawSpan, as role: TextRole) {}
        mutating func integer(_ value: Int64, as role: TextRole) {}
        mutating func module(_ id: ModuleID) { module = id }
    }
}
