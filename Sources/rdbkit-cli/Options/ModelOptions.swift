public import ArgumentParser
public import RDBKit

/// How a server keeps data in memory.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server whose memory counts: redis-6.2, redis-7.0, redis-8.2, valkey-8.1, valkey-9.1, or the nearest to "
                + "another. By default the writer that the file names.", valueName: "server"))
    var server: ModelledServer?

    @Option(
        help: ArgumentHelp(
            "Its allocator: jemalloc as servers bundle it, system-jemalloc as distributions build it, or libc.",
            valueName: "name"))
    var allocator = Allocator.jemalloc

    @Option(
        name: .customLong("config"), parsing: .singleValue,
        help: ArgumentHelp(
            "A limit of its configuration, such as hash-max-listpack-entries=1024; the rest are its defaults.",
            valueName: "name=value"))
    var limits: [ConfiguredLimit] = []

    var choice: MemoryConsumer.ModelChoice {
        MemoryConsumer.ModelChoice(
            server: server?.model, allocator: allocator, limits: limits.map { ($0.name, $0.value) })
    }
}

/// A release of a server by its name.
struct ModelledServer: ExpressibleByArgument {
    let model: ServerModel

    init?(argument: String) {
        guard let model = ServerModel(named: argument) else { return nil }
        self.model = model
    }
}

/// A limit by its name in a server's configuration.
struct ConfiguredLimit: ExpressibleByArgument {
    let name: String
    let value: String

    init?(argument: String) {
        let words = argument.split(separator: "=", maxSplits: 1)
        guard words.count == 2 else { return nil }
        name = String(words[0])
        value = String(words[1])
        var limits = EncodingLimits(.redis82)
        guard limits.set(name, to: value) else { return nil }
    }
}

extension Allocator: ExpressibleByArgument {}
