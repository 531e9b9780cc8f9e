@_exported public import RDBKit
