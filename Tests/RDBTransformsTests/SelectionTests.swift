import RDBBytes
import RDBModel
import RDBTestSupport
import RDBTransforms
import Testing

@Suite("selection of entries")
struct SelectionTests {
    static func admits(_ header: EntryHeader, _ key: String = "user:1", _ change: (inout Selection) -> Void) -> Bool {
        var selection = Selection(now: 1000)
        change(&selection)
        return selection.admits(header, key: Array(key.utf8).rawSpan)
    }

    @Test("without conditions everything is taken")
    func all() {
        #expect(Self.admits(EntryHeader()) { _ in })
    }

    @Test(
        "databases, of which any does", arguments: [(0, false), (1, true), (2, true), (3, true), (4, false), (9, true)])
    func databases(_ number: Int, _ expected: Bool) {
        #expect(Self.admits(EntryHeader(database: UInt64(number))) { $0.databases = [1...3, 9...9] } == expected)
    }

    @Test("types, and types left out", arguments: ValueType.allCases)
    func types(_ type: ValueType) {
        let header = EntryHeader(type: type)
        #expect(Self.admits(header) { $0.types = [.hash, .zset] } == (type == .hash || type == .zset))
        #expect(Self.admits(header) { $0.excludedTypes = [.hash, .zset] } == (type != .hash && type != .zset))
    }

    @Test(
        "states of expiry",
        arguments: [
            (nil, [.none], true), (nil, [.any], false), (nil, [.past], false), (nil, [.future], false),
            (1, [.none], false), (1, [.any], true), (1, [.past], true), (1, [.future], false), (1000, [.past], true),
            (1001, [.past], false), (1001, [.future], true), (-5, [.past], true), (nil, [.past, .none], true),
            (1, [.future, .none], false),
        ] as [(Int64?, Set<Selection.ExpiryState>, Bool)])
    func expiryStates(_ expiry: Int64?, _ states: Set<Selection.ExpiryState>, _ expected: Bool) {
        #expect(Self.admits(EntryHeader(expiresAt: expiry)) { $0.expiryStates = states } == expected)
    }

    @Test(
        "times of expiry",
        arguments: [
            (nil, nil, 50, false), (49, nil, 50, true), (50, nil, 50, false), (nil, 50, nil, false),
            (51, 50, nil, true), (50, 50, nil, false), (55, 50, 60, true), (60, 50, 60, false),
        ] as [(Int64?, Int64?, Int64?, Bool)])
    func expiryTimes(_ expiry: Int64?, _ after: Int64?, _ before: Int64?, _ expected: Bool) {
        let header = EntryHeader(expiresAt: expiry)
        #expect(
            Self.admits(header) {
                $0.expiresAfter = after
                $0.expiresBefore = before
            } == expected)
    }

    @Test("keys by glob, regular expression and name")
    func keys() {
        let header = EntryHeader()
        #expect(Self.admits(header) { $0.globs = [GlobPattern("x"), GlobPattern("user:*")] })
        #expect(!Self.admits(header) { $0.globs = [GlobPattern("x")] })
        #expect(!Self.admits(header) { $0.excludedGlobs = [GlobPattern("x"), GlobPattern("user:*")] })
        #expect(Self.admits(header) { $0.keys = [Array("user:1".utf8)] })
        #expect(!Self.admits(header) { $0.keys = [Array("user:".utf8)] })
    }

    @Test("keys by regular expression")
    func regexKeys() throws {
        let (number, letter) = (try RegexPattern(":\\d$"), try RegexPattern(":[a-z]$"))
        #expect(Self.admits(EntryHeader()) { $0.regexes = [letter, number] })
        #expect(!Self.admits(EntryHeader()) { $0.regexes = [letter] })
        #expect(!Self.admits(EntryHeader()) { $0.excludedRegexes = [letter, number] })
    }

    @Test("keys by slot")
    func slots() {
        #expect(Self.admits(EntryHeader(), "123456789") { $0.slots = [0...5, 12739...12739] })
        #expect(!Self.admits(EntryHeader(), "123456789") { $0.slots = [0...12738, 12740...16383] })
    }

    @Test("a sample takes its share, always the same one")
    func sample() {
        func taken(_ share: Double) -> Set<Int> {
            Set((0..<20000).filter { number in Self.admits(EntryHeader(), "key:\(number)") { $0.sample = share } })
        }
        let (small, large) = (taken(0.1), taken(0.5))
        #expect(1800...2200 ~= small.count)
        #expect(9600...10400 ~= large.count)
        #expect(small.isSubset(of: large))
        #expect(taken(0).isEmpty)
        #expect(taken(1).count == 20000)
    }

    @Test("lengths and elements")
    func sizes() {
        var selection = Selection(now: 0)
        #expect(!selection.needsByteCount && !selection.needsElementCount)
        #expect(selection.admits(byteCount: 5) && selection.admits(elementCount: 5))
        selection.byteCounts = 5...7
        selection.elementCounts = 2...UInt64.max
        #expect(selection.needsByteCount && selection.needsElementCount)
        #expect([4, 5, 7, 8].map { selection.admits(byteCount: $0) } == [false, true, true, false])
        #expect([1, 2, .max].map { selection.admits(elementCount: $0) } == [false, true, true])
    }
}

@Suite("hash slots")
struct HashSlotTests {
    @Test(
        "known values",
        arguments: [
            ("123456789", 12739), ("foo", 12182), ("foo{bar}", 5061), ("bar", 5061), ("", 0), ("{}foo", 9500),
            ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("{bar", 4015), ("foo{bar}{zap}", 5061),
            ("{user1000}.following", 3443),
            ("{user1000}.followers", 3443), ("user1000", 3443),
        ])
    func known(_ key: String, _ slot: Int) {
        #expect(HashSlot.of(Array(key.utf8).rawSpan) == slot)
    }
}

@Suite("regular expressions")
struct RegexPatternTests {
    static func matches(_ pattern: String, _ bytes: [UInt8]) throws -> Bool {
        try RegexPattern(pattern).matches(bytes.rawSpan)
    }

    @Test("match raw bytes anywhere")
    func matches() throws {
        #expect(try Self.matches("b+", Array("abbc".utf8)))
        #expect(try !Self.matches("^b", Array("abbc".utf8)))
        #expect(try Self.matches("", []))
        #expect(try Self.matches("^$", [UInt8]()))
        #expect(try Self.matches("a.b", [0x61, 0xff, 0x62]))
        #expect(try Self.matches("\\xff\\x00", [0x61, 0xff, 0x00]))
        #expect(try Self.matches("(?i)USER:\\d+$", Array("user:42".utf8)))
    }

    @Test("patterns that are none tell where")
    func syntax() {
        for (pattern, index) in [("(a", 2), ("[a", 2), ("*a", 0)] {
            do throws(RegexPattern.SyntaxError) {
                _ = try RegexPattern(pattern)
                Issue.record("\(pattern) should not compile")
            } catch {
                #expect(error.index == index, "\(pattern): \(error)")
                #expect(!error.message.isEmpty)
            }
        }
    }

    @Test("a pattern that explodes ends without a match")
    func explosion() throws {
        #expect(try !Self.matches("^(a+)+$", Array((String(repeating: "a", count: 40) + "b").utf8)))
    }
}
