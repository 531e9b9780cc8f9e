import ArgumentParser
import RDBKit

/// The form of entries as JSON.
struct JSONFormOptions: ParsableArguments {
    @Flag(help: "Only db and key.")
    var keysOnly = false

    @Flag(help: "All but the values.")
    var noValues = false

    @Flag(help: "Add serialized_bytes (of the value in the file), elements and slot.")
    var meta = false

    @Flag(help: "Write one JSON array instead of lines.")
    var array = false

    @Option(
        help: ArgumentHelp(
            "How byte strings are written: auto (text where it is UTF-8, else $base64:…), base64, hex or latin1.",
            valueName: "form"))
    var strings = StringForm.auto

    func validate() throws {
        if keysOnly, noValues { throw ValidationError("--keys-only and --no-values exclude each other") }
    }

    var options: JSONOptions {
        var options = JSONOptions()
        options.parts = keysOnly ? .keysOnly : noValues ? .withoutValues : .everything
        options.meta = meta
        options.array = array
        options.strings = strings
        return options
    }
}
