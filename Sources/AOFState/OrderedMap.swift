/// Values by key, in the order of the keys: a group's pending entries, an array's elements, the paths of a path hash.
///
/// They lie sorted in runs of up to 64, whose first keys stand in a row of their own. So to find one is a binary search,
/// and to put one in or take one out moves a run's tail. Keys may come and go anywhere; at the end is fastest.
struct OrderedMap<Key: Comparable, Value> {
    struct Element {
        let key: Key
        var value: Value
    }

    /// Where an element is; good until the next insertion or removal.
    struct Place {
        fileprivate var run: Int
        fileprivate var index: Int
    }

    private var runs: [[Element]] = []
    private var firstKeys: [Key] = []
    private(set) var count = 0

    private static var maxRunCount: Int { 64 }

    var isEmpty: Bool { count == 0 }

    // MARK: - Finding

    /// The place of a key, or of the first behind it, which may be behind all.
    private func lowerBound(_ key: Key) -> Place {
        // The last run that begins at or before the key.
        var low = 0
        var high = firstKeys.count
        while low < high {
            let middle = (low + high) / 2
            if firstKeys[middle] <= key { low = middle + 1 } else { high = middle }
        }
        if low == 0 { return Place(run: 0, index: 0) }
        let run = low - 1
        low = 0
        high = runs[run].count
        if runs[run][high - 1].key < key { return Place(run: run, index: high) }
        while low < high {
            let middle = (low + high) / 2
            if runs[run][middle].key < key { low = middle + 1 } else { high = middle }
        }
        return Place(run: run, index: low)
    }

    func find(_ key: Key) -> Place? {
        let place = lowerBound(key)
        guard place.run < runs.count, place.index < runs[place.run].count, runs[place.run][place.index].key == key
        else {
            return nil
        }
        return place
    }

    subscript(_ place: Place) -> Value {
        get { runs[place.run][place.index].value }
        _modify { yield &runs[place.run][place.index].value }
    }

    /// The first element at or behind a key.
    func first(from key: Key) -> Element? {
        var place = lowerBound(key)
        if place.run < runs.count, place.index == runs[place.run].count { place = Place(run: place.run + 1, index: 0) }
        return place.run < runs.count ? runs[place.run][place.index] : nil
    }

    var last: Element? { runs.last?.last }

    func visit(_ body: (Element) -> Void) {
        for run in runs {
            for element in run { body(element) }
        }
    }

    // MARK: - Changing

    /// Puts in a key that is not there.
    mutating func insert(_ key: Key, _ value: Value) {
        count += 1
        let element = Element(key: key, value: value)
        if runs.isEmpty {
            runs.append([element])
            firstKeys.append(key)
            return
        }
        let place = lowerBound(key)
        if runs[place.run].count == Self.maxRunCount {
            if place.run == runs.count - 1, place.index == Self.maxRunCount {
                runs.append([element])
                firstKeys.append(key)
                return
            }
            let half = Array(runs[place.run][(Self.maxRunCount / 2)...])
            runs[place.run].removeLast(half.count)
            runs.insert(half, at: place.run + 1)
            firstKeys.insert(half[0].key, at: place.run + 1)
            let again = lowerBound(key)
            runs[again.run].insert(element, at: again.index)
            if again.index == 0 { firstKeys[again.run] = key }
            return
        }
        runs[place.run].insert(element, at: place.index)
        if place.index == 0 { firstKeys[place.run] = key }
    }

    mutating func remove(at place: Place) {
        count -= 1
        runs[place.run].remove(at: place.index)
        let left = runs[place.run].count
        if left == 0 {
            runs.remove(at: place.run)
            firstKeys.remove(at: place.run)
            return
        }
        if place.index == 0 { firstKeys[place.run] = runs[place.run][0].key }
        // Few are left: they join the run behind them, so that memory follows what there is.
        guard left < Self.maxRunCount / 4, place.run + 1 < runs.count,
            runs[place.run + 1].count + left <= Self.maxRunCount * 3 / 4
        else { return }
        runs[place.run].append(contentsOf: runs[place.run + 1])
        runs.remove(at: place.run + 1)
        firstKeys.remove(at: place.run + 1)
    }

    /// Removes what `isRemoved` says, in one walk.
    mutating func removeAll(where isRemoved: (Element) -> Bool) {
        var kept = OrderedMap()
        for run in runs {
            for element in run where !isRemoved(element) { kept.append(element) }
        }
        self = kept
    }

    /// Behind all that are there.
    private mutating func append(_ element: Element) {
        count += 1
        if let last = runs.indices.last, runs[last].count < Self.maxRunCount {
            runs[last].append(element)
        } else {
            runs.append([element])
            firstKeys.append(element.key)
        }
    }
}
