import Glibc

/// An append-only log of all common commands on some hundred thousand keys, from a seed.
enum LogCorpus {
    static let summary =
        "a log of strings, counters, hashes, lists, sets, sorted sets, streams, expiries and transactions"
    private static let userCount: UInt64 = 200_000

    /// Makes the file unless it is there.
    static func make(at path: String, byteCount: Int) throws(BenchError) {
        if let size = fileSize(path), size >= byteCount { return }
        note("making \(path)")
        var random = SplitMix64(seed: 7)
        var log: [UInt8] = []
        log.reserveCapacity(byteCount + 4096)
        append(["SELECT", "0"], to: &log)
        var entry = 0
        while log.count < byteCount { add(&random, &entry, to: &log) }
        try writeBytes(log, to: path)
    }

    private static func append(_ words: [String], to log: inout [UInt8]) {
        log.append(0x2a)
        log.append(decimal: words.count)
        log.append("\r\n")
        for word in words {
            log.append(0x24)
            log.append(decimal: word.utf8.count)
            log.append("\r\n")
            log.append(contentsOf: word.utf8)
            log.append("\r\n")
        }
    }

    private static func text(_ random: inout SplitMix64, _ byteCounts: Range<Int>) -> String {
        var bytes: [UInt8] = []
        let byteCount = byteCounts.lowerBound + Int(random.next() % UInt64(byteCounts.count))
        bytes.append(token: byteCount, from: &random)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func add(_ random: inout SplitMix64, _ entry: inout Int, to log: inout [UInt8]) {
        let user = random.next() % userCount
        let number = random.next() % 1_000_000
        let words: [String]
        switch random.next() % 100 {
        case 0..<30: words = ["SET", "user:\(user):name", text(&random, 20..<120)]
        case 30..<40:
            words = ["SET", "session:\(user)", text(&random, 20..<200), "PXAT", "\(4_000_000_000_000 + user)"]
        case 40..<50: words = ["INCR", "counter:\(user)"]
        case 50..<65:
            words = [
                "HSET", "profile:\(user / 10)", "f\(number % 20)", text(&random, 5..<40), "g\(user % 20)", "\(number)",
            ]
        case 65..<73: words = ["RPUSH", "queue:\(user / 100)", text(&random, 10..<80)]
        case 73..<77: words = ["LPOP", "queue:\(user / 100)"]
        case 77..<84: words = ["SADD", "tags:\(user / 20)", "tag:\(number % 400)"]
        case 84..<92: words = ["ZADD", "board:\(user / 2000)", "\(number)", "player:\(random.next() % 20000)"]
        case 92..<95:
            entry += 1
            words = [
                "XADD", "events:\(user / 5000)", "\(1_700_000_000_000 + entry)-0", "type", "click", "user", "\(user)",
            ]
        case 95..<97: words = ["PEXPIREAT", "user:\(user):name", "\(4_000_000_000_000 + user)"]
        case 97..<99: words = ["DEL", "user:\(user):name"]
        default:
            append(["MULTI"], to: &log)
            append(["INCRBY", "counter:\(user)", "5"], to: &log)
            append(["HINCRBY", "profile:\(user / 10)", "visits", "1"], to: &log)
            words = ["EXEC"]
        }
        append(words, to: &log)
    }
}
