public import RDBFormat
public import RDBTransforms

extension RedisDigest.Rules {
    /// Of the servers that write files of a version.
    public init(writerOf version: RDBVersion) {
        switch version.family {
        case .redis: self.init(writesShortScores: version.number >= 11, marksFieldExpiries: version.number >= 12)
        case .valkey: self.init(writesShortScores: true, marksFieldExpiries: false)
        }
    }
}
