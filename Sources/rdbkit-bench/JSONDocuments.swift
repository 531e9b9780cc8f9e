/// Makes JSON documents such as applications keep in strings: a few shapes, repeated field names, words, numbers,
/// dates, some text that is not ASCII and some that a JSON writer has to escape. LZF shortens them by about a quarter.
struct JSONDocuments {
    var random: SplitMix64

    private static let words: [StaticString] = [
        "alpha", "account", "basket", "blue", "border", "cache", "carbon", "castle", "cloud", "coffee",
        "copper", "crew", "delta", "design", "draft", "early", "eleven", "engine", "falcon", "field", "forest",
        "garden", "glass", "gold", "harbor", "heavy", "honey", "island", "item", "jacket", "journey", "kernel",
        "kitchen", "ladder", "lemon", "letter", "light", "market", "meadow", "metal", "mirror", "morning",
        "motor", "needle", "night", "north", "ocean", "office", "orange", "order", "paper", "pepper", "planet",
        "pocket", "quiet", "rapid", "river", "rocket", "silver", "simple", "spring", "station", "stone",
        "storm", "summer", "table", "ticket", "timber", "train", "tunnel", "under", "velvet", "violet", "water",
        "window", "winter", "yellow", "zebra", "zone",
        "caf\u{e9}", "stra\u{df}e", "ni\u{f1}o", "\u{6771}\u{4eac}", "\u{43c}\u{438}\u{440}", "\u{1f680}",
    ]

    mutating func appendWord(to text: inout [UInt8]) {
        // The words that are not ASCII are the last six: seldom met, as in most data.
        let count = random.chance(4) ? Self.words.count : Self.words.count - 6
        text.append(Self.words[random.below(count)])
    }

    mutating func appendDate(to text: inout [UInt8]) {
        text.append("20")
        text.append(decimal: random.within(15...25), width: 2)
        text.append(0x2d)
        text.append(decimal: random.within(1...12), width: 2)
        text.append(0x2d)
        text.append(decimal: random.within(1...28), width: 2)
        text.append(0x54)
        text.append(decimal: random.within(0...23), width: 2)
        text.append(0x3a)
        text.append(decimal: random.within(0...59), width: 2)
        text.append(0x3a)
        text.append(decimal: random.within(0...59), width: 2)
        text.append(0x5a)
    }

    /// A sentence of at least `byteCount` bytes, as it stands between the quotes of a JSON string.
    private mutating func appendSentence(to text: inout [UInt8], byteCount: Int) {
        let end = text.count + byteCount
        while text.count < end {
            appendWord(to: &text)
            switch random.below(40) {
            case 0: text.append("\\n")
            case 1: text.append(" \\\"ok\\\" ")
            default: text.append(0x20)
            }
        }
    }

    /// A document of about `byteCount` bytes, at least about a hundred.
    mutating func append(to text: inout [UInt8], byteCount: Int) {
        let end = text.count + byteCount
        text.append(#"{"id":"#)
        text.append(decimal: random.below(100_000_000))
        text.append(#","name":""#)
        appendWord(to: &text)
        text.append(0x20)
        appendWord(to: &text)
        text.append(#"","created_at":""#)
        appendDate(to: &text)
        text.append(random.chance(80) ? #"","active":true"# : #"","active":false"#)
        while text.count < end - 20 {
            appendMember(to: &text, room: end - text.count)
        }
        text.append("}")
    }

    private mutating func appendMember(to text: inout [UInt8], room: Int) {
        switch random.below(6) {
        case 0:
            text.append(#","price":"#)
            text.append(decimal: random.below(10_000))
            text.append(0x2e)
            text.append(decimal: random.below(100), width: 2)
        case 1:
            text.append(#","tags":["#)
            for index in 0...random.below(4) {
                text.append(index == 0 ? #"""# : #",""#)
                appendWord(to: &text)
                text.append(0x22)
            }
            text.append(0x5d)
        case 2:
            text.append(#","updated_at":""#)
            appendDate(to: &text)
            text.append(0x22)
        case 3:
            text.append(#","etag":""#)
            text.append(hex: random.next())
            text.append(0x22)
        case 4:
            text.append(#","position":{"lat":"#)
            text.append(decimal: random.within(-90...90))
            text.append(0x2e)
            text.append(decimal: random.below(1_000_000), width: 6)
            text.append(#","lon":"#)
            text.append(decimal: random.within(-180...180))
            text.append(0x2e)
            text.append(decimal: random.below(1_000_000), width: 6)
            text.append(0x7d)
        default:
            text.append(#","note":""#)
            appendSentence(to: &text, byteCount: min(room, random.within(20...160)))
            text.append(0x22)
        }
    }
}
