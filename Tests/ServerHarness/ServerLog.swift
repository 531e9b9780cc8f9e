internal import Glibc

/// The append-only log of a server, as files: a single file, or a folder with a manifest.
package struct ServerLog: Sendable {
    package let server: Server
    /// The single file, or the folder.
    package let path: String

    package var isMultiPart: Bool { server.isRedis7 }

    /// The files that a load reads, in its order; of the base and each incremental file the name and the path.
    package func files() throws -> [(name: String, path: String)] {
        if !isMultiPart { return [(name: path, path: path)] }
        guard let manifest = Files.names(path).first(where: { $0.hasSuffix(".manifest") }) else {
            throw HarnessError("no manifest in \(path)")
        }
        let lines = try Files.text("\(path)/\(manifest)").split(separator: "\n").map { $0.split(separator: " ") }
        return (lines.filter { $0[5] == "b" } + lines.filter { $0[5] == "i" }).map {
            (name: String($0[1]), path: "\(path)/\($0[1])")
        }
    }

    /// Starts the log's server on a copy of it, and gives what `DEBUG DIGEST` answers.
    package func digest() throws -> String {
        let process = try ServerProcess(server, options: Self.options(server)) { folder in
            _ = try copy(to: folder, isMultiPart ? "appendonlydir" : "appendonly.aof")
        }
        defer { process.stop() }
        return try process.connect().call("DEBUG", "DIGEST").text()
    }

    /// What the server's own check tool says.
    ///
    /// - Returns: its output, and whether it accepts the log.
    package func checkByServer(_ arguments: [String] = [], _ file: String? = nil) throws -> (
        accepts: Bool, output: String
    ) {
        guard let program = ServerCatalog.program(for: server) else { throw HarnessError("no \(server)") }
        let folder = try TemporaryFolder()
        // The server's program does the tool's work under the tool's name.
        let tool = folder.file("\(server.family.rawValue)-check-aof")
        guard symlink(program, tool) == 0 else { throw SystemError("link \(tool)") }
        let target = try file ?? (isMultiPart ? manifestPath() : path)
        // Whether it may change the file is asked.
        try Files.write(Bytes("y\n".utf8), to: folder.file("answers"))
        let child = try ChildProcess(
            tool, arguments + [target], input: .file(folder.file("answers")), output: folder.file("out"),
            errors: folder.file("err"))
        guard let end = child.wait(seconds: 60) else { throw HarnessError("\(tool) does not end") }
        return (accepts: end == .exited(0), output: try Files.text(folder.file("out")))
    }

    package func manifestPath() throws -> String {
        guard let name = Files.names(path).first(where: { $0.hasSuffix(".manifest") }) else {
            throw HarnessError("no manifest in \(path)")
        }
        return "\(path)/\(name)"
    }

    /// A copy with a name of its own in a folder.
    package func copy(to folder: TemporaryFolder, _ name: String) throws -> ServerLog {
        let target = folder.file(name)
        if isMultiPart {
            guard mkdir(target, 0o755) == 0 else { throw SystemError("make \(target)") }
            for file in Files.names(path) {
                try Files.write(try Files.read("\(path)/\(file)"), to: "\(target)/\(file)")
            }
        } else {
            try Files.write(try Files.read(path), to: target)
        }
        return ServerLog(server: server, path: target)
    }

    package init(server: Server, path: String) {
        self.server = server
        self.path = path
    }

    package static func options(_ server: Server) -> [(name: String, value: String)] {
        var options = [
            (name: "appendonly", value: "yes"), (name: "auto-aof-rewrite-percentage", value: "0"),
            (name: "aof-load-truncated", value: "yes"),
            // By default a server that waits for the disk keeps commands for up to two seconds before it writes them.
            (name: "appendfsync", value: "no"),
        ]
        if server.isRedis7 { options.append((name: "aof-timestamp-enabled", value: "yes")) }
        return options
    }
}

extension ServerProcess {
    /// Where the server keeps its log.
    package var log: ServerLog {
        ServerLog(server: server, path: folder.file(server.isRedis7 ? "appendonlydir" : "appendonly.aof"))
    }
}
