import RDBBytes
import RESPFormat

/// Commands on streams.
enum StreamCommand: String, CaseIterable {
    case xadd = "XADD"
    case xtrim = "XTRIM"
    case xdel = "XDEL"
    case xdelex = "XDELEX"
    case xackdel = "XACKDEL"
    case xsetid = "XSETID"
    case xgroup = "XGROUP"
    case xack = "XACK"
    case xclaim = "XCLAIM"
    case xautoclaim = "XAUTOCLAIM"
    case xreadgroup = "XREADGROUP"
    case xnack = "XNACK"
    case xcfgset = "XCFGSET"
    case xidmprecord = "XIDMPRECORD"
}

extension CommandRunner {
    mutating func run(_ command: StreamCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
