import RDBBytes
import RESPFormat

/// Commands on sorted sets.
enum SortedSetCommand: String, CaseIterable {
    case zadd = "ZADD"
    case zincrby = "ZINCRBY"
    case zrem = "ZREM"
    case zremrangebyrank = "ZREMRANGEBYRANK"
    case zremrangebyscore = "ZREMRANGEBYSCORE"
    case zremrangebylex = "ZREMRANGEBYLEX"
    case zpopmin = "ZPOPMIN"
    case zpopmax = "ZPOPMAX"
    case zmpop = "ZMPOP"
    case bzpopmin = "BZPOPMIN"
    case bzpopmax = "BZPOPMAX"
    case bzmpop = "BZMPOP"
    case zunionstore = "ZUNIONSTORE"
    case zinterstore = "ZINTERSTORE"
    case zdiffstore = "ZDIFFSTORE"
    case zrangestore = "ZRANGESTORE"
}

extension CommandRunner {
    mutating func run(_ command: SortedSetCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
