import Glibc

/// Where a server looks for members of an area: the cell of the centre and those around it, of a size that follows from
/// the area. Near the poles and the date line that is not all of the area, and members that lie in the rest are not
/// found. Source: valkey-io/valkey src/geohash_helper.c, geohashCalculateAreasByShapeWGS84; Redis has the same.
struct GeoCells {
    /// Scores of the members in each cell: from the first to below the second. As servers have them, who count in
    /// doubles where a cell beyond the edge of the world makes 53 bits of them.
    private var ranges: [(low: Double, high: Double)] = []

    private struct Bounds {
        var west: Double
        var south: Double
        var east: Double
        var north: Double

        /// To the nearest side, in metres.
        func distance(from centre: GeoPosition) -> Double {
            let sides = [
                GeoPosition(longitude: centre.longitude, latitude: north),
                GeoPosition(longitude: centre.longitude, latitude: south),
                GeoPosition(longitude: east, latitude: centre.latitude),
                GeoPosition(longitude: west, latitude: centre.latitude),
            ]
            return sides.map { centre.distance(to: $0) }.min() ?? 0
        }
    }

    /// - Parameter measuresReach: whether the cells' reach is compared in metres, as Redis 6.2 does, and not in degrees.
    init(_ area: GeoArea, _ centre: GeoPosition, measuresReach: Bool = false) {
        let bounds = Self.bounds(area, centre)
        let radius = Self.radius(area, centre, bounds)
        // Bits of each of both coordinates.
        var step = Self.step(radius: radius, centre.latitude)
        var cell = Self.cell(centre, step)
        let reach = Bounds(
            west: Self.longitude(Self.wrap(cell.x &- 1, step), step, edge: 0),
            south: Self.latitude(Self.wrap(cell.y &- 1, step), step, edge: 0),
            east: Self.longitude(Self.wrap(cell.x &+ 1, step), step, edge: 1),
            north: Self.latitude(Self.wrap(cell.y &+ 1, step), step, edge: 1))
        let isTooSmall =
            measuresReach
            ? reach.distance(from: centre) < radius
            : reach.north < bounds.north || reach.south > bounds.south || reach.east < bounds.east
                || reach.west > bounds.west
        if step > 1, isTooSmall {
            step -= 1
            cell = Self.cell(centre, step)
        }
        var leaves = (west: true, south: true, east: true, north: true)
        if step >= 2 {
            leaves.south = Self.latitude(cell.y, step, edge: 0) >= bounds.south
            leaves.north = Self.latitude(cell.y, step, edge: 1) <= bounds.north
            leaves.west = Self.longitude(cell.x, step, edge: 0) >= bounds.west
            leaves.east = Self.longitude(cell.x, step, edge: 1) <= bounds.east
        }
        // A position at the very edge of the world stands in a row of cells beyond it.
        let columns = [
            (cell.x, true), (Self.wrap(cell.x &- 1, step), leaves.west), (Self.wrap(cell.x &+ 1, step), leaves.east),
        ]
        let rows = [
            (cell.y, true), (Self.wrap(cell.y &- 1, step), leaves.south), (Self.wrap(cell.y &+ 1, step), leaves.north),
        ]
        for (x, isColumnKept) in columns where isColumnKept {
            for (y, isRowKept) in rows where isRowKept {
                let first = GeoPosition.interleave(x: x, y: y) << UInt64(52 - 2 * step)
                ranges.append((low: Double(first), high: Double(first + (1 << UInt64(52 - 2 * step)))))
            }
        }
    }

    /// Whether the member with this score is looked at.
    func contains(_ score: Double) -> Bool {
        for range in ranges where score >= range.low && score < range.high { return true }
        return false
    }

    // MARK: - Cells

    private static func cell(_ position: GeoPosition, _ step: Int) -> (x: UInt32, y: UInt32) {
        let count = Double(1 << step)
        let x = (position.longitude + GeoPosition.maxLongitude) / (2 * GeoPosition.maxLongitude) * count
        let y = (position.latitude + GeoPosition.maxLatitude) / (2 * GeoPosition.maxLatitude) * count
        return (UInt32(max(0, x)), UInt32(max(0, y)))
    }

    /// A row or column after going round the world.
    private static func wrap(_ number: UInt32, _ step: Int) -> UInt32 { number & (UInt32(1) << UInt32(step) - 1) }

    /// The lower (0) or upper (1) edge of a row of cells.
    private static func latitude(_ row: UInt32, _ step: Int, edge: Double) -> Double {
        -GeoPosition.maxLatitude + fraction(row, step, edge) * (2 * GeoPosition.maxLatitude)
    }

    private static func longitude(_ column: UInt32, _ step: Int, edge: Double) -> Double {
        -GeoPosition.maxLongitude + fraction(column, step, edge) * (2 * GeoPosition.maxLongitude)
    }

    private static func fraction(_ number: UInt32, _ step: Int, _ edge: Double) -> Double {
        (Double(number) + edge) / Double(1 << step)
    }

    // MARK: - Sizes

    /// How far the area reaches, as far as servers reckon.
    private static func bounds(_ area: GeoArea, _ centre: GeoPosition) -> Bounds {
        let width: Double
        let height: Double
        switch area {
        case .circle(let radius): (width, height) = (radius, radius)
        case .box(let boxWidth, let boxHeight): (width, height) = (boxWidth / 2, boxHeight / 2)
        case .polygon(let corners):
            return Bounds(
                west: corners.map(\.longitude).min() ?? 0, south: corners.map(\.latitude).min() ?? 0,
                east: corners.map(\.longitude).max() ?? 0, north: corners.map(\.latitude).max() ?? 0)
        }
        let latitudes = GeoPosition.degrees(height / GeoPosition.earthRadius)
        // The side nearer to the pole is the longer one, in degrees.
        let edge = centre.latitude < 0 ? centre.latitude - latitudes : centre.latitude + latitudes
        let longitudes = GeoPosition.degrees(width / GeoPosition.earthRadius / cos(GeoPosition.radians(edge)))
        return Bounds(
            west: centre.longitude - longitudes, south: centre.latitude - latitudes,
            east: centre.longitude + longitudes, north: centre.latitude + latitudes)
    }

    private static func radius(_ area: GeoArea, _ centre: GeoPosition, _ bounds: Bounds) -> Double {
        switch area {
        case .circle(let radius): return radius
        case .box(let width, let height):
            return ((width / 2) * (width / 2) + (height / 2) * (height / 2)).squareRoot()
        case .polygon:
            var radius = 0.0
            for longitude in [bounds.west, bounds.east] {
                for latitude in [bounds.south, bounds.north] {
                    radius = max(
                        radius, centre.distance(to: GeoPosition(longitude: longitude, latitude: latitude)))
                }
            }
            return radius
        }
    }

    private static func step(radius: Double, _ latitude: Double) -> Int {
        if radius == 0 { return 26 }
        // Half the length of the equator, on the map.
        let limit = 20037726.37
        var radius = radius
        var step = 1
        while radius < limit, step < 200 {
            radius *= 2
            step += 1
        }
        step -= 2
        if abs(latitude) > 66 { step -= 1 }
        if abs(latitude) > 80 { step -= 1 }
        return max(1, min(26, step))
    }
}
