import ArgumentParser

/// Which inputs a command takes, as its help says it.
extension ArgumentHelp {
    static let anyInputs = ArgumentHelp(
        "RDB files, append-only logs (files, folders, manifests), or URLs of live servers; - is standard input.",
        valueName: "input")
    static let files = ArgumentHelp(
        "RDB files or append-only logs (files, folders, manifests); - is standard input.", valueName: "input")
    static let file = ArgumentHelp(
        "An RDB file or an append-only log (file, folder, manifest); - is standard input.", valueName: "input")
    static let logs = ArgumentHelp(
        "Append-only files, manifests or their folders; - is standard input.", valueName: "input")
    static let log = ArgumentHelp(
        "An append-only file, a manifest or its folder; - is standard input.", valueName: "input")

    static func anyInput(_ name: String) -> ArgumentHelp {
        ArgumentHelp(
            "An RDB file, an append-only log (file, folder, manifest), or the URL of a live server; - is standard input.",
            valueName: name)
    }
}
