import RDBBytes
import RESPFormat

/// Commands on hashes.
enum HashCommand: String, CaseIterable {
    case hset = "HSET"
    case hmset = "HMSET"
    case hsetnx = "HSETNX"
    case hdel = "HDEL"
    case hincrby = "HINCRBY"
    case hincrbyfloat = "HINCRBYFLOAT"
    case hpexpireat = "HPEXPIREAT"
    case hexpireat = "HEXPIREAT"
    case hpexpire = "HPEXPIRE"
    case hexpire = "HEXPIRE"
    case hpersist = "HPERSIST"
    case hsetex = "HSETEX"
    case hgetdel = "HGETDEL"
    case hgetex = "HGETEX"
}

extension CommandRunner {
    mutating func run(_ command: HashCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
