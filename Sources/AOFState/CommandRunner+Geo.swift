import RDBBytes
import RDBFormat
import RESPFormat

/// Commands on positions in sorted sets.
enum GeoCommand: String, CaseIterable {
    case geoadd = "GEOADD"
    case georadius = "GEORADIUS"
    case georadiusbymember = "GEORADIUSBYMEMBER"
    case geosearchstore = "GEOSEARCHSTORE"
}

extension CommandRunner {
    mutating func run(_ command: GeoCommand, _ arguments: CommandArguments) -> CommandOutcome {
        switch command {
        case .geoadd: return geoadd(arguments)
        case .georadius:
            guard arguments.count >= 6 else { return .wrongArgumentCount }
            return search(GeoSearch(radius: arguments, byMember: false), arguments)
        case .georadiusbymember:
            guard arguments.count >= 5 else { return .wrongArgumentCount }
            return search(GeoSearch(radius: arguments, byMember: true), arguments)
        case .geosearchstore:
            guard arguments.count >= 8 else { return .wrongArgumentCount }
            return search(GeoSearch(searchStore: arguments), arguments)
        }
    }

    /// `key [NX|XX] [CH] longitude latitude member …`
    private func geoadd(_ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 5 else { return .wrongArgumentCount }
        var condition = ScoreCondition()
        var index = 2
        while index < arguments.count {
            if arguments.matches(index, "nx") {
                condition.onlyNew = true
            } else if arguments.matches(index, "xx") {
                condition.onlyOld = true
            } else if !arguments.matches(index, "ch") {
                break
            }
            index += 1
        }
        let rest = arguments.count - index
        guard rest > 0, rest.isMultiple(of: 3), condition.isPossible else { return .refused }
        var pairs: [(score: Double, index: Int)] = []
        while index < arguments.count {
            guard let position = arguments.position(index) else { return .refused }
            pairs.append((position.score, index + 2))
            index += 3
        }
        return add(arguments[1], pairs, condition, arguments)
    }

    private func search(_ search: GeoSearch?, _ arguments: CommandArguments) -> CommandOutcome {
        guard let search else { return .refused }
        let source: SortedSetValue
        switch find(arguments[search.source], SortedSetValue.self) {
        case .wrongType: return .refused
        case .missing:
            if let target = search.target { delete(arguments[target]) }
            return .applied
        case .value(let zset): source = zset
        }
        guard let area = search.area else { return .refused }
        let centre: GeoPosition
        switch search.centre {
        case .none: return .refused
        case .position(let position): centre = position
        case .member(let member):
            guard let score = source.score(of: arguments[member]) else { return .refused }
            centre = GeoPosition(score: score)
        }
        // Without STORE it only reads.
        guard let target = search.target else { return .applied }

        var found: [(member: [UInt8], score: Double, distance: Double)] = []
        let cells = GeoCells(area, centre, measuresReach: server?.measuresGeoCells == true)
        source.visit { member, score in
            if cells.contains(score), let distance = area.distance(GeoPosition(score: score), from: centre) {
                found.append((member.array, score, distance))
            }
        }
        if let count = search.count, count < found.count {
            // Which ones a server finds first depends on the order in which it walks over the cells.
            if search.takesAny { return .cannotRun }
            found.sort { search.isDescending ? $0.distance > $1.distance : $0.distance < $1.distance }
            if found[count - 1].distance == found[count].distance { return .cannotRun }
            found.removeSubrange(count...)
        }
        let result = SortedSetValue()
        for (member, score, distance) in found {
            result.set(member.rawSpan, search.storesDistances ? distance / search.unit : score)
        }
        store(arguments[target], result)
        return .applied
    }
}
