import RDBBytes
import RESPFormat

/// Commands on keys of any type, and on databases.
enum KeyCommand: String, CaseIterable {
    case del = "DEL"
    case unlink = "UNLINK"
    case pexpireat = "PEXPIREAT"
    case expireat = "EXPIREAT"
    case pexpire = "PEXPIRE"
    case expire = "EXPIRE"
    case persist = "PERSIST"
    case rename = "RENAME"
    case renamenx = "RENAMENX"
    case copy = "COPY"
    case move = "MOVE"
    case swapdb = "SWAPDB"
    case flushdb = "FLUSHDB"
    case flushall = "FLUSHALL"
    case restore = "RESTORE"
    case restoreAsking = "RESTORE-ASKING"
    case delex = "DELEX"
    case delifeq = "DELIFEQ"
    case trimslots = "TRIMSLOTS"
    case select = "SELECT"
}

extension CommandRunner {
    mutating func run(_ command: KeyCommand, _ arguments: CommandArguments) -> CommandOutcome { .cannotRun }
}
