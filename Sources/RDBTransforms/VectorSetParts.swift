import RDBModel

/// Tells what each part of a vector set's value is. Vector sets are stored as a module's value but belong to Redis 8.
///
///     unsigned dimension, elements, configuration, flags
///     1: unsigned input dimension, string projection matrix
///     per element: string name, 2: string attributes, string vector, unsigned n, n unsigned
///
/// Source: redis/redis modules/vector-sets/vset.c, VectorSetRdbSave.
struct VectorSetParts {
    enum Part {
        case dimension, elementCount
        case name, attributes
        /// The last text of an element.
        case vector
        /// Counts nowhere.
        case other
    }

    static func isVectorSet(_ id: ModuleID) -> Bool { id.name == "vectorset" && id.encodingVersion == 0 }

    /// What has to come for the parts to be a vector set's.
    private enum State {
        case dimension, elementCount, configuration, flags, inputDimension, matrix
        case name, attributes, vector, linkCount, links
    }
    private var state = State.dimension
    private var hasAttributes = false
    private var linksLeft: UInt64 = 0

    /// nil where no vector set has a number.
    mutating func number(_ value: UInt64) -> Part? {
        switch state {
        case .dimension:
            state = .elementCount
            return .dimension
        case .elementCount:
            state = .configuration
            return .elementCount
        case .configuration: state = .flags
        case .flags:
            if value > 3 { return nil }
            hasAttributes = value & 2 != 0
            state = value & 1 != 0 ? .inputDimension : .name
        case .inputDimension: state = .matrix
        case .linkCount:
            linksLeft = value
            state = value > 0 ? .links : .name
        case .links:
            linksLeft -= 1
            if linksLeft == 0 { state = .name }
        case .matrix, .name, .attributes, .vector: return nil
        }
        return .other
    }

    /// nil where no vector set has a text.
    mutating func text() -> Part? {
        switch state {
        case .matrix:
            state = .name
            return .other
        case .name:
            state = hasAttributes ? .attributes : .vector
            return .name
        case .attributes:
            state = .vector
            return .attributes
        case .vector:
            state = .linkCount
            return .vector
        default: return nil
        }
    }

    /// Whether a value may end here.
    var isAtEnd: Bool { state == .name }
}
