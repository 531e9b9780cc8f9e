public import RDBBytes

/// An input opened and recognised by its content: a file or standard input, plain, gzip or in Valkey's LZ4 envelope.
public struct Input {
    /// Delivers the RDB's bytes from the first on, and can go back.
    public let source: any ByteSource

    /// - Parameter path: `-` is standard input.
    public init(path: String) throws(InputError) {
        do throws(SourceError) {
            let file: DescriptorSource =
                path == "-" ? try DescriptorSource(descriptor: 0, closes: false) : try DescriptorSource(path: path)
            try self.init(file.canRewind ? file : RecordingSource(file))
        } catch {
            throw InputError(path: path, cause: error)
        }
    }

    /// - Parameter base: a source that can go back.
    public init(_ base: any ByteSource) throws(SourceError) {
        let (kind, source) = try Self.unwrap(base)
        switch kind {
        case .rdb: self.source = source
        case .gzip, .lz4Envelope: throw .damaged(.unsupportedInput, "an RDB file compressed once")
        case .aof: throw .damaged(.unsupportedInput, "an RDB file; this is an append-only log")
        case .json: throw .damaged(.unsupportedInput, "an RDB file; this release reads no JSON Lines")
        case .empty: throw .damaged(.badMagic, "an RDB file; the input is empty")
        case .unknown: throw .damaged(.badMagic, "an RDB file (REDIS or VALKEY and a version), plain or in gzip")
        }
    }

    /// What a source holds beneath gzip and the envelope, and a source of that.
    static func unwrap(_ base: any ByteSource) throws(SourceError) -> (kind: Kind, source: any ByteSource) {
        var source = base
        var kind = Kind.unknown
        // gzip, an envelope inside it, and what is inside that: no more layers make sense.
        for _ in 0..<3 {
            kind = Kind(firstBytes: try Self.peek(source, count: 9))
            switch kind {
            case .gzip: source = RecordingSource(try GzipSource(source))
            case .lz4Envelope: source = RecordingSource(try LZ4Source(envelopeOf: source))
            default: return (kind, source)
            }
        }
        return (kind, source)
    }

    /// What an input's first bytes say that it is. Source: formats/newest.md §2.1.
    enum Kind: Equatable {
        case rdb, gzip, lz4Envelope, aof, json, empty, unknown

        init(firstBytes bytes: [UInt8]) {
            func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
            if bytes.isEmpty {
                self = .empty
            } else if begins("REDIS") || begins("VALKEY") {
                self = .rdb
            } else if bytes.starts(with: [0x1f, 0x8b]) {
                self = .gzip
            } else if begins("VCS") {
                self = .lz4Envelope
            } else if begins("*") || begins("#TS:") {
                self = .aof
            } else if begins("{") {
                self = .json
            } else {
                self = .unknown
            }
        }
    }

    /// Reads the first bytes and goes back.
    static func peek(_ source: any ByteSource, count: Int) throws(SourceError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe try source.hold(from: 0, delivered: UnsafeRawBufferPointer(start: nil, count: 0))
        var have = 0
        while have < count {
            // The slice lies within the array.
            let result = unsafe bytes.withUnsafeMutableBytes { buffer -> Result<Int, SourceError> in
                do throws(SourceError) {
                    return .success(
                        unsafe try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[have...])))
                } catch { return .failure(error) }
            }
            let got = try result.get()
            if got == 0 { break }
            have += got
        }
        try source.rewind(to: 0)
        source.release()
        return Array(bytes.prefix(have))
    }
}

/// An input that cannot be opened or recognised.
public struct InputError: Error, Equatable {
    public var path: String
    public var cause: SourceError

    public init(path: String, cause: SourceError) {
        self.path = path
        self.cause = cause
    }
}
