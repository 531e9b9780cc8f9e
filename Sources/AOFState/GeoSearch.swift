import RDBBytes
import RESPFormat

/// The words of GEORADIUS, GEORADIUSBYMEMBER and GEOSEARCHSTORE.
struct GeoSearch {
    enum Centre {
        case position(GeoPosition)
        /// An argument.
        case member(Int)
    }

    private(set) var centre: Centre?
    private(set) var area: GeoArea?
    /// Metres that the unit of the area has.
    private(set) var unit = 1.0
    /// Arguments.
    private(set) var source: Int
    private(set) var target: Int?
    private(set) var storesDistances = false
    private(set) var isDescending = false
    /// nil: all.
    private(set) var count: Int?
    /// Whether those found first will do.
    private(set) var takesAny = false
    private var repliesMore = false

    /// `key longitude latitude radius unit …` or `key member radius unit …`
    init?(radius arguments: CommandArguments, byMember: Bool) {
        source = 1
        let next = byMember ? 3 : 4
        if byMember {
            centre = .member(2)
        } else {
            guard let position = arguments.position(2) else { return nil }
            centre = .position(position)
        }
        // Around a member the area counts only if there is a source: without one, servers do not look at it.
        guard readCircle(arguments, next) || byMember else { return nil }
        var index = next + 2
        while index < arguments.count {
            if arguments.matches(index, "store") || arguments.matches(index, "storedist") {
                guard index + 1 < arguments.count else { return nil }
                target = index + 1
                storesDistances = arguments.matches(index, "storedist")
                index += 2
            } else {
                guard let width = readCommonWord(arguments, index) else { return nil }
                index += width
            }
        }
        // A search that stores has nothing to reply but a count.
        if target != nil, repliesMore { return nil }
        if takesAny, count == nil { return nil }
    }

    /// `target source FROMMEMBER member|FROMLONLAT longitude latitude BYRADIUS …|BYBOX …|BYPOLYGON … …`
    init?(searchStore arguments: CommandArguments) {
        source = 2
        target = 1
        var index = 3
        while index < arguments.count {
            if arguments.matches(index, "frommember") {
                guard centre == nil, index + 1 < arguments.count else { return nil }
                centre = .member(index + 1)
                index += 2
            } else if arguments.matches(index, "fromlonlat") {
                guard centre == nil, let position = arguments.position(index + 1) else { return nil }
                centre = .position(position)
                index += 3
            } else if arguments.matches(index, "byradius") {
                guard area == nil, readCircle(arguments, index + 1) else { return nil }
                index += 3
            } else if arguments.matches(index, "bybox") {
                guard area == nil, readBox(arguments, index + 1) else { return nil }
                index += 4
            } else if arguments.matches(index, "bypolygon") {
                guard area == nil, let width = readPolygon(arguments, index + 1) else { return nil }
                index += 1 + width
            } else if arguments.matches(index, "storedist") {
                storesDistances = true
                index += 1
            } else {
                guard let width = readCommonWord(arguments, index) else { return nil }
                index += width
            }
        }
        if case .polygon(let corners)? = area {
            if centre != nil { return nil }
            centre = .position(GeoPosition(middleOf: corners))
        }
        guard centre != nil, area != nil, !repliesMore, !takesAny || count != nil else { return nil }
    }

    /// - Returns: how many arguments it took.
    private mutating func readCommonWord(_ arguments: CommandArguments, _ index: Int) -> Int? {
        if arguments.matches(index, "asc") {
            isDescending = false
        } else if arguments.matches(index, "desc") {
            isDescending = true
        } else if arguments.matches(index, "any") {
            takesAny = true
        } else if arguments.matches(index, "withdist") || arguments.matches(index, "withhash")
            || arguments.matches(index, "withcoord")
        {
            repliesMore = true
        } else if arguments.matches(index, "count") {
            guard let wanted = arguments.integer(index + 1), wanted > 0 else { return nil }
            count = Int(wanted)
            return 2
        } else {
            return nil
        }
        return 1
    }

    private mutating func readCircle(_ arguments: CommandArguments, _ index: Int) -> Bool {
        guard let radius = arguments.double(index), radius >= 0, let unit = arguments.metres(index + 1) else {
            return false
        }
        self.unit = unit
        area = .circle(radius: radius * unit)
        return true
    }

    private mutating func readBox(_ arguments: CommandArguments, _ index: Int) -> Bool {
        guard let width = arguments.double(index), let height = arguments.double(index + 1), width >= 0, height >= 0,
            let unit = arguments.metres(index + 2)
        else { return false }
        self.unit = unit
        area = .box(width: width * unit, height: height * unit)
        return true
    }

    /// `count longitude latitude …`; at least three corners.
    private mutating func readPolygon(_ arguments: CommandArguments, _ index: Int) -> Int? {
        guard let wanted = arguments.integer(index), wanted >= 3,
            wanted <= Int64(arguments.count - index - 1) / 2
        else { return nil }
        var corners: [GeoPosition] = []
        for number in 0..<Int(wanted) {
            guard let corner = arguments.position(index + 1 + 2 * number) else { return nil }
            corners.append(corner)
        }
        area = .polygon(corners)
        return 1 + 2 * Int(wanted)
    }
}

extension CommandArguments {
    /// Longitude and latitude; nil where they are none that servers take.
    func position(_ index: Int) -> GeoPosition? {
        guard let longitude = double(index), let latitude = double(index + 1) else { return nil }
        let position = GeoPosition(longitude: longitude, latitude: latitude)
        return position.isValid ? position : nil
    }

    /// What a unit has.
    func metres(_ index: Int) -> Double? {
        if matches(index, "m") { return 1 }
        if matches(index, "km") { return 1000 }
        if matches(index, "ft") { return 0.3048 }
        return matches(index, "mi") ? 1609.34 : nil
    }
}
