import RDBBytes

/// Finds where commands end in bytes that come in pieces: `*n CRLF`, then n times `$length CRLF bytes CRLF`.
///
/// Only for bytes of this program's own making.
struct CommandScanner {
    private enum State {
        /// In the digits behind `*` or `$`, up to the LF; what the line tells so far.
        case count(Int)
        case length(Int)
        case payload
    }

    struct Found: Equatable {
        /// Behind the last command that ends in the piece; nil where none does.
        var lastEnd: Int?
        /// Commands that begin in the piece, and those of them that begin before `lastEnd`.
        var begun = 0
        var begunBeforeEnd = 0
    }

    private var state = State.count(0)
    private var argumentsLeft = 0
    /// Of the argument's bytes and its CRLF.
    private var payloadLeft = 0

    mutating func scan(_ bytes: RawSpan) -> Found {
        var found = Found()
        var index = 0
        while index < bytes.byteCount {
            switch state {
            case .payload:
                let step = min(payloadLeft, bytes.byteCount - index)
                index += step
                payloadLeft -= step
                guard payloadLeft == 0 else { return found }
                argumentsLeft -= 1
                if argumentsLeft > 0 {
                    state = .length(0)
                } else {
                    state = .count(0)
                    found.lastEnd = index
                    found.begunBeforeEnd = found.begun
                }
            case .count(let value):
                let byte = bytes.byte(at: index)
                index += 1
                switch byte {
                case UInt8(ascii: "*"): found.begun += 1
                case UInt8(ascii: "\n"):
                    argumentsLeft = value
                    state = .length(0)
                default: state = .count(Self.appended(byte, to: value))
                }
            case .length(let value):
                let byte = bytes.byte(at: index)
                index += 1
                if byte == UInt8(ascii: "\n") {
                    payloadLeft = value + 2
                    state = .payload
                } else {
                    state = .length(Self.appended(byte, to: value))
                }
            }
        }
        return found
    }

    private static func appended(_ byte: UInt8, to value: Int) -> Int {
        0x30...0x39 ~= byte ? value * 10 + Int(byte - 0x30) : value
    }
}
