import Glibc

/// A position on the Earth, in degrees.
struct GeoPosition {
    var longitude: Double
    var latitude: Double

    static let maxLatitude = 85.05112878
    static let maxLongitude = 180.0

    /// Whether servers take it: near the poles they do not.
    var isValid: Bool {
        abs(longitude) <= Self.maxLongitude && abs(latitude) <= Self.maxLatitude
    }
}

/// Positions as the scores of sorted sets: 26 bits of latitude and longitude each, in turn, latitude at bit 0.
/// Source: redis/redis src/geohash.c; formats/encodings.md §14.2.
extension GeoPosition {
    private static let cells = Double(1 << 26)

    /// The score of a valid position.
    var score: Double {
        let latitude = (latitude + Self.maxLatitude) / (Self.maxLatitude - -Self.maxLatitude) * Self.cells
        let longitude = (longitude + Self.maxLongitude) / (Self.maxLongitude - -Self.maxLongitude) * Self.cells
        return Double(Self.interleave(x: UInt32(longitude), y: UInt32(latitude)))
    }

    static func interleave(x: UInt32, y: UInt32) -> UInt64 { spread(y) | spread(x) << 1 }

    /// The middle of the cell that a score names. A score that is none of a position gives some position all the same.
    init(score: Double) {
        // As a cast in C does where it is defined.
        let bits = score >= 0 && score < 0x1p64 ? UInt64(score) : 0
        let latitude = Double(Self.gather(bits))
        let longitude = Double(Self.gather(bits >> 1))
        func middle(_ cell: Double, _ max: Double) -> Double {
            let scale = max - -max
            let low = -max + (cell * 1.0 / Self.cells) * scale
            let high = -max + ((cell + 1) * 1.0 / Self.cells) * scale
            return Swift.max(-max, Swift.min(max, (low + high) / 2))
        }
        self.latitude = middle(latitude, Self.maxLatitude)
        self.longitude = middle(longitude, Self.maxLongitude)
    }

    /// Each bit to twice its place.
    private static func spread(_ value: UInt32) -> UInt64 {
        var bits = UInt64(value)
        bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff
        bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff
        bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f
        bits = (bits | bits << 2) & 0x3333_3333_3333_3333
        return (bits | bits << 1) & 0x5555_5555_5555_5555
    }

    private static func gather(_ value: UInt64) -> UInt32 {
        var bits = value & 0x5555_5555_5555_5555
        bits = (bits | bits >> 1) & 0x3333_3333_3333_3333
        bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f
        bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff
        bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff
        return UInt32(truncatingIfNeeded: bits | bits >> 16)
    }
}

/// Distances in metres, on a sphere. Source: redis/redis src/geohash_helper.c; formats/commands.md C.11.
extension GeoPosition {
    static let earthRadius = 6372797.560856

    static func radians(_ degrees: Double) -> Double { degrees * (Double.pi / 180) }
    static func degrees(_ radians: Double) -> Double { radians / (Double.pi / 180) }

    /// By the haversine formula.
    func distance(to other: GeoPosition) -> Double {
        let v = sin((Self.radians(other.longitude) - Self.radians(longitude)) / 2)
        if v == 0 { return latitudeDistance(to: other) }
        let from = Self.radians(latitude)
        let to = Self.radians(other.latitude)
        let u = sin((to - from) / 2)
        return 2 * Self.earthRadius * asin((u * u + cos(from) * cos(to) * v * v).squareRoot())
    }

    func latitudeDistance(to other: GeoPosition) -> Double {
        Self.earthRadius * abs(Self.radians(other.latitude) - Self.radians(latitude))
    }
}

extension GeoPosition {
    /// The middle of positions as points in space: the direction of their sum.
    init(middleOf corners: [GeoPosition]) {
        var (x, y, z) = (0.0, 0.0, 0.0)
        for corner in corners {
            let longitude = Self.radians(corner.longitude)
            let latitude = Self.radians(corner.latitude)
            x += cos(latitude) * cos(longitude)
            y += cos(latitude) * sin(longitude)
            z += sin(latitude)
        }
        longitude = Self.degrees(atan2(y, x))
        latitude = Self.degrees(atan2(z, (x * x + y * y).squareRoot()))
    }
}

/// An area that members are searched in, in metres.
enum GeoArea {
    case circle(radius: Double)
    case box(width: Double, height: Double)
    /// Corners; the last one is joined to the first (Valkey 9).
    case polygon([GeoPosition])

    /// The distance from the centre of a position that lies within the area; nil of one outside.
    func distance(_ position: GeoPosition, from centre: GeoPosition) -> Double? {
        switch self {
        case .circle(let radius):
            let distance = centre.distance(to: position)
            return distance <= radius ? distance : nil
        case .box(let width, let height):
            if centre.latitudeDistance(to: position) > height / 2 { return nil }
            let beside = GeoPosition(longitude: centre.longitude, latitude: position.latitude)
            if position.distance(to: beside) > width / 2 { return nil }
            return centre.distance(to: position)
        case .polygon(let corners):
            return Self.contains(position, corners) ? centre.distance(to: position) : nil
        }
    }

    /// Whether a line from the position to the east crosses an odd number of sides.
    private static func contains(_ position: GeoPosition, _ corners: [GeoPosition]) -> Bool {
        var isInside = false
        var previous = corners[corners.count - 1]
        for corner in corners {
            if (corner.latitude > position.latitude) != (previous.latitude > position.latitude),
                position.longitude < (previous.longitude - corner.longitude) * (position.latitude - corner.latitude)
                    / (previous.latitude - corner.latitude) + corner.longitude
            {
                isInside.toggle()
            }
            previous = corner
        }
        return isInside
    }
}
