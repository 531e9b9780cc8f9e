import RDBBytes
import RDBFormat
import RESPFormat

/// SORT with STORE.
enum SortCommand: String, CaseIterable {
    case sort = "SORT"
}

extension CommandRunner {
    /// `key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC|DESC] [ALPHA] STORE target`
    mutating func run(_ command: SortCommand, _ arguments: CommandArguments) -> CommandOutcome {
        guard arguments.count >= 2 else { return .wrongArgumentCount }
        guard let words = SortWords(arguments) else { return .refused }
        guard let source = sortSource(arguments[1], words) else { return .refused }
        // Without STORE it only reads.
        guard let target = words.target else { return .applied }

        var items: [SortItem] = source.elements.map { SortItem(element: $0) }
        let sorts = words.by.map { hasStar(arguments[$0]) } ?? true
        if sorts || source.isSet {
            // A set has no order of its own: where none is asked for, it is that of the members' bytes.
            let isAlphabetic = words.isAlphabetic || !sorts
            if let by = words.by, sorts {
                for index in items.indices { items[index].text = value(arguments[by], items[index].element) }
            }
            let usesPattern = words.by != nil && sorts
            if !isAlphabetic {
                for index in items.indices {
                    let text = usesPattern ? items[index].text : items[index].element
                    guard let text else { continue }
                    guard let weight = SortItem.weight(text.rawSpan) else { return .refused }
                    items[index].weight = weight
                }
            }
            let order: SortItem.Order = !isAlphabetic ? .byWeight : usesPattern ? .byText : .byElement
            items = SortItem.sort(items, order, isDescending: words.isDescending)
            // How a server leaves what compares equal depends on its own order of work.
            if order == .byText, SortItem.isAmbiguous(items) { return .cannotRun }
        } else if words.isDescending {
            items.reverse()
        }

        let list = ListValue()
        var byteCount: Int64 = 0
        for item in items[words.range(of: items.count)] {
            if words.get.isEmpty { list.push(item.element.rawSpan, .right) }
            for pattern in words.get {
                let got = value(arguments[pattern], item.element) ?? []
                // Each GET stores all once more: a few commands could double a list until no memory is left.
                byteCount += Int64(ListBlock.byteCount(got.rawSpan))
                if byteCount > allowance.maxResultByteCount { return .tooLarge }
                list.push(got.rawSpan, .right)
            }
        }
        store(arguments[target], list)
        return .applied
    }

    private func sortSource(_ key: RawSpan, _ words: SortWords) -> (elements: [[UInt8]], isSet: Bool)? {
        guard let index = database.entries.find(key) else { return ([], false) }
        var elements: [[UInt8]] = []
        switch database.entries[index].value {
        case .list(let list): list.elements.visit { elements.append($0.array) }
        case .set(let set):
            set.visit { elements.append($0.array) }
            return (elements, true)
        case .sortedSet(let zset):
            if let all = zset.positions(ranks: 0, -1) {
                zset.visit(in: all) { member, _ in
                    elements.append(member.array)
                    return true
                }
            }
        default: return nil
        }
        return (elements, false)
    }

    private func hasStar(_ pattern: RawSpan) -> Bool {
        for index in 0..<pattern.byteCount where pattern.byte(at: index) == UInt8(ascii: "*") { return true }
        return false
    }

    /// What a pattern names for an element: `#` itself, else the string at the key that the pattern becomes with the
    /// element for its first `*`, or the field behind `->` of the hash there.
    private func value(_ pattern: RawSpan, _ element: [UInt8]) -> [UInt8]? {
        if pattern.byteCount == 1, pattern.byte(at: 0) == UInt8(ascii: "#") { return element }
        let pattern = pattern.array
        guard let star = pattern.firstIndex(of: UInt8(ascii: "*")) else { return nil }
        var keyEnd = pattern.count
        var field: [UInt8]?
        for index in stride(from: star + 1, to: pattern.count - 2, by: 1)
        where pattern[index] == UInt8(ascii: "-") && pattern[index + 1] == UInt8(ascii: ">") {
            keyEnd = index
            field = Array(pattern[(index + 2)...])
            break
        }
        let key = Array(pattern[..<star]) + element + Array(pattern[(star + 1)..<keyEnd])
        guard let index = database.entries.find(key.rawSpan) else { return nil }
        switch database.entries[index].value {
        case .string(let bytes) where field == nil: return bytes
        case .hash(let hash):
            guard let field else { return nil }
            return hash.withValue(field.rawSpan) { $0.array }
        default: return nil
        }
    }
}

/// The words of a SORT; arguments by their index.
private struct SortWords {
    var by: Int?
    var get: [Int] = []
    var target: Int?
    var isDescending = false
    var isAlphabetic = false
    private var offset: Int64 = 0
    private var count: Int64 = -1

    init?(_ arguments: CommandArguments) {
        var index = 2
        while index < arguments.count {
            let left = arguments.count - index - 1
            if arguments.matches(index, "asc") {
                isDescending = false
            } else if arguments.matches(index, "desc") {
                isDescending = true
            } else if arguments.matches(index, "alpha") {
                isAlphabetic = true
            } else if arguments.matches(index, "limit"), left >= 2 {
                guard let offset = arguments.integer(index + 1), let count = arguments.integer(index + 2) else {
                    return nil
                }
                self.offset = offset
                self.count = count
                index += 2
            } else if arguments.matches(index, "store"), left >= 1 {
                target = index + 1
                index += 1
            } else if arguments.matches(index, "by"), left >= 1 {
                by = index + 1
                index += 1
            } else if arguments.matches(index, "get"), left >= 1 {
                get.append(index + 1)
                index += 1
            } else {
                return nil
            }
            index += 1
        }
    }

    /// What LIMIT leaves of so many.
    func range(of total: Int) -> Range<Int> {
        let start = min(max(offset, 0), Int64(total))
        let wanted = count < 0 ? Int64(total) : min(count, Int64(total))
        return Int(start)..<Int(min(start + wanted, Int64(total)))
    }
}

/// An element and what it is sorted by.
private struct SortItem {
    let element: [UInt8]
    var weight = 0.0
    /// Of another key; nil where there is none, which comes first.
    var text: [UInt8]?

    init(element: [UInt8]) { self.element = element }

    /// A number as C's `strtod` reads it, up to the first zero byte; no text at all is 0.
    static func weight(_ text: RawSpan) -> Double? {
        let text = RangeText.upToZero(text)
        return text.byteCount == 0 ? 0 : DoubleText.parse(RangeText.withoutBlanks(text))
    }

    enum Order {
        case byWeight, byElement, byText
    }

    /// Below, at or above 0.
    private static func compare(_ left: SortItem, _ right: SortItem, _ order: Order) -> Int {
        switch order {
        case .byWeight:
            if left.weight != right.weight { return left.weight < right.weight ? -1 : 1 }
            return left.element.rawSpan.compare(right.element.rawSpan)
        case .byElement: return left.element.rawSpan.compare(right.element.rawSpan)
        case .byText:
            guard let leftText = left.text else { return right.text == nil ? 0 : -1 }
            guard let rightText = right.text else { return 1 }
            return leftText.rawSpan.compare(rightText.rawSpan)
        }
    }

    static func sort(_ items: [SortItem], _ order: Order, isDescending: Bool) -> [SortItem] {
        items.sorted { left, right in
            let compared = compare(left, right, order)
            return isDescending ? compared > 0 : compared < 0
        }
    }

    /// Whether different elements, which are sorted by texts, have the same text.
    static func isAmbiguous(_ items: [SortItem]) -> Bool {
        for (left, right) in zip(items, items.dropFirst())
        where left.element != right.element && compare(left, right, .byText) == 0 { return true }
        return false
    }
}
