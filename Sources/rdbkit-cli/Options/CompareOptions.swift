import ArgumentParser
import Glibc
import RDBKit

/// What of two inputs is compared, and with how much memory; the same for `verify` and `diff`.
struct CompareOptions: ParsableArguments {
    @OptionGroup var ignored: IgnoreOptions

    @Flag(help: "Leave function libraries out. Where keys are selected, they never count.")
    var noFunctions = false

    @Option(
        help: ArgumentHelp(
            "Let expiries of keys and hash fields differ by this much: 500ms, 2s, 1m.", valueName: "time"))
    var expiryTolerance: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "Memory for what is kept of keys and elements; 256MiB by default, 16MiB at least. More goes to temporary files.",
            valueName: "bytes"))
    var memory: ByteAmount?

    @Option(
        help: ArgumentHelp(
            "Folder of temporary files, which never have a name; by default $TMPDIR, else /var/tmp.",
            valueName: "folder"))
    var tmp: String?

    func validate() throws {
        if let memory, !(16 << 20...1 << 44).contains(memory.byteCount) {
            throw ValidationError("--memory takes 16MiB or more")
        }
    }

    func options(selects: Bool) -> ComparisonOptions {
        var options = ComparisonOptions()
        options.parts = ignored.parts
        options.comparesFunctions = !noFunctions && !selects
        options.expiryTolerance = expiryTolerance?.milliseconds
        if let memory { options.memory = Int(memory.byteCount) }
        return options
    }

    /// All temporary files of the program go where this one says.
    func chooseFolder() {
        if let tmp { _ = unsafe setenv("TMPDIR", tmp, 1) }
    }
}

/// `500ms`, `2s`, `1m`, `1h`, `1d`; a number alone is seconds.
struct TimeSpan: ExpressibleByArgument {
    let milliseconds: Int64

    private static let units: [(suffix: String, factor: Double)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("", 1000),
    ]

    init?(argument: String) {
        guard let unit = Self.units.first(where: { argument.hasSuffix($0.suffix) }),
            let number = Double(argument.dropLast(unit.suffix.count)), number >= 0, number * unit.factor < 1e15
        else { return nil }
        milliseconds = Int64((number * unit.factor).rounded())
    }
}
