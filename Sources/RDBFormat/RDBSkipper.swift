public import RDBBytes

// Steps over values by their outer lengths, without decoding what is packed inside: the fast path of commands that want
// keys only, and the way past a value that does not decode.
extension RDBReader {
    /// Steps over the value of the entry that `next` returned.
    public mutating func skipValue() throws(DecodeError) {
        switch type {
        case .string, .hashZipmap, .listZiplist, .setIntset, .zsetZiplist, .hashZiplist, .hashListpack, .zsetListpack,
            .setListpack, .hashListpackExPreGA, .hashTemplateListpack, .hll:
            try window.skipString()
        case .list, .set, .listQuicklist:
            try skipStrings(try window.length())
        case .hash:
            let count = try window.length()
            try skipStrings(count)
            try skipStrings(count)
        case .zset: try skipOldSortedSet()
        case .zset2: try skipSortedSet()
        case .listQuicklist2: try skipQuicklist2()
        case .hashListpackEx:
            try window.skip(8)
            try window.skipString()
        case .hashMetadata:
            try window.skip(8)
            try skipHashMetadata()
        case .hashMetadataPreGA: try skipHashMetadata()
        case .hashExpiry: try skipHashExpiry()
        case .hashTemplateValues: try skipStrings(UInt64(try readTemplateNames().count))
        case .hashOwnTemplateListpack:
            _ = try readOwnFieldNames()
            try window.skipString()
        case .hashOwnTemplateValues: try skipStrings(UInt64(try readOwnFieldNames().count))
        case .stream, .stream2, .stream3, .stream4, .stream5: try skipStream()
        case .module2:
            _ = try window.length()
            try window.skipModuleParts()
        case .array: try skipArray()
        case .pathHash: try skipPathHash()
        case .gcra: _ = try window.length()
        case .cron:
            try window.skipString()
            try window.skip(16)
            try skipStrings(try window.length())
            try skipStrings(try window.length())
        }
    }

    private mutating func skipStrings(_ count: UInt64) throws(DecodeError) {
        var left = count
        while left > 0 {
            try window.skipString()
            left -= 1
        }
    }

    private mutating func skipSortedSet() throws(DecodeError) {
        var left = try window.length()
        while left > 0 {
            try window.skipString()
            try window.skip(8)
            left -= 1
        }
    }

    private mutating func skipOldSortedSet() throws(DecodeError) {
        var left = try window.length()
        while left > 0 {
            try window.skipString()
            let count = try window.byte()
            if count < 253 { try window.skip(UInt64(count)) }
            left -= 1
        }
    }

    private mutating func skipQuicklist2() throws(DecodeError) {
        var left = try window.length()
        while left > 0 {
            _ = try window.length()
            try window.skipString()
            left -= 1
        }
    }

    private mutating func skipHashMetadata() throws(DecodeError) {
        var left = try window.length()
        while left > 0 {
            _ = try window.length()
            try window.skipString()
            try window.skipString()
            left -= 1
        }
    }

    private mutating func skipHashExpiry() throws(DecodeError) {
        var left = try window.length()
        while left > 0 {
            try window.skipString()
            try window.skipString()
            try window.skip(8)
            left -= 1
        }
    }

    private mutating func skipPathHash() throws(DecodeError) {
        var paths = try window.length()
        while paths > 0 {
            try window.skipString()
            let count = try window.length()
            try skipStrings(count)
            try skipStrings(count)
            paths -= 1
        }
    }

    private mutating func skipArray() throws(DecodeError) {
        var left = try window.length()
        if try window.length() != 0 { _ = try window.length() }
        while left > 0 {
            _ = try window.length()
            let tag = try window.length()
            if tag == 1 || tag == 2 { try window.skip(8) } else { try window.skipString() }
            left -= 1
        }
    }

    private mutating func skipStream() throws(DecodeError) {
        let generation = type.streamGeneration
        var nodes = try window.length()
        while nodes > 0 {
            try window.skipString()
            try window.skipString()
            nodes -= 1
        }
        try skipLengths(generation >= 2 ? 8 : 3)
        var groups = try window.length()
        while groups > 0 {
            try window.skipString()
            try skipLengths(generation >= 2 ? 3 : 2)
            var pending = try window.length()
            while pending > 0 {
                try window.skip(24)
                _ = try window.length()
                pending -= 1
            }
            var consumers = try window.length()
            while consumers > 0 {
                try window.skipString()
                try window.skip(generation >= 3 ? 16 : 8)
                try skipIDs()
                consumers -= 1
            }
            if generation >= 5 { try skipIDs() }
            groups -= 1
        }
        if generation >= 4 {
            try skipLengths(2)
            var producers = try window.length()
            while producers > 0 {
                try window.skipString()
                var entries = try window.length()
                while entries > 0 {
                    try window.skipString()
                    try skipLengths(2)
                    entries -= 1
                }
                producers -= 1
            }
            try skipLengths(2)
        }
    }

    private mutating func skipLengths(_ count: Int) throws(DecodeError) {
        for _ in 0..<count { _ = try window.length() }
    }

    private mutating func skipIDs() throws(DecodeError) {
        let at = window.location
        let (byteCount, overflow) = try window.length().multipliedReportingOverflow(by: 16)
        if overflow {
            throw DecodeError(.badLength, at: at, expected: "a count of IDs", found: .described("an impossible one"))
        }
        try window.skip(byteCount)
    }
}
