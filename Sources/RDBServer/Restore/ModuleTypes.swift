import RDBKit

/// Which modules read a type of value. A type has nine letters of its own, the module another name.
enum ModuleTypes {
    private static let readers: [String: [String]] = [
        "ReJSON-RL": ["ReJSON", "json"], "TSDB-TYPE": ["timeseries"], "MBbloom--": ["bf"], "MBbloomCF": ["bf"],
        "CMSk-TYPE": ["bf"], "TopK-TYPE": ["bf"], "TDIS-TYPE": ["bf"], "bloomfltr": ["bf"], "graphdata": ["graph"],
        "graphmeta": ["graph"], "vectorset": ["vectorset"],
    ]

    /// Whether a server with these modules surely has none for the type.
    static func isMissing(_ type: String, _ modules: Set<String>, _ target: ServerVersion) -> Bool {
        if type == "vectorset", target.hasVectorSets { return false }
        if modules.isEmpty { return true }
        // Of a type that is not known here, any module may be the one.
        return readers[type].map { modules.isDisjoint(with: $0) } ?? false
    }

    /// What a server said to a module's value, with the module's name.
    static func words(_ text: String, _ value: RawSpan) -> String {
        let id = RDBReader.withEntry(
            EntryHeader(), .module2, of: RDBVersion(number: 10, family: .redis), key: RawSpan(), value: value
        ) { try? $0.moduleID() }
        guard let id else { return text }
        return "no module of the target reads \"\(id.name)\" version \(id.encodingVersion): \(text)"
    }
}
