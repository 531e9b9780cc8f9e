public import ArgumentParser
import RDBKit
public import RDBServer

/// Live servers as inputs: how to reach and how to read them.
struct ServerInputOptions: ParsableArguments {
    @Option(
        name: .customLong("read"),
        help: ArgumentHelp(
            "Read a live server's values by dump (DUMP) or by types (GET, LRANGE, HGETALL …); auto is dump where the user may.",
            valueName: "way"))
    var way = SnapshotOptions.Way.auto

    @Option(help: ArgumentHelp("Read at most so many keys a second from a live server.", valueName: "rate"))
    var maxOps: CountRate?

    @Option(
        help: ArgumentHelp(
            "Read a live server's values that take more of its memory than this in slices; 16MiB by default.",
            valueName: "bytes"))
    var bigValue: ByteAmount?

    @OptionGroup var server: ServerOptions

    /// A live server as an input of which only what is selected is read, as far as the server can tell it apart.
    func side(_ text: String, _ selection: Selection, _ diagnostics: Diagnostics) throws(ServerError) -> ServerSide {
        let url = try ServerURL(text)
        var options = SnapshotOptions()
        options.way = way
        options.keysPerSecond = maxOps?.perSecond
        if let bigValue { options.bigValueByteCount = bigValue.byteCount }
        options.narrow(to: selection)
        let side = ServerSide(of: url, connection: try server.connection(for: [url]), options: options)
        side.notice = { diagnostics.notice($0) }
        return side
    }
}

extension SnapshotOptions.Way: ExpressibleByArgument {}

/// The live server that is read as an input at the moment.
final class LiveInput {
    private let options: ServerInputOptions
    private let selection: Selection
    private let diagnostics: Diagnostics
    private var side: ServerSide?

    init(_ options: ServerInputOptions, _ selection: Selection, _ diagnostics: Diagnostics) {
        self.options = options
        self.selection = selection
        self.diagnostics = diagnostics
    }

    /// - Returns: its stream, and its URL without the password.
    func open(_ text: String) throws(ServerError) -> (source: any ByteSource, name: String) {
        let side = try options.side(text, selection, diagnostics)
        self.side = side
        return (try side.open(), side.name)
    }

    /// What ended the stream, if the server did.
    var failure: ServerError? { side?.failure as? ServerError }

    func close() {
        side?.close()
        side = nil
    }
}
