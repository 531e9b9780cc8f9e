// One import for library users.
@_exported public import AOFFormat
@_exported public import AOFState
@_exported public import RDBBytes
@_exported public import RDBFormat
@_exported public import RDBModel
@_exported public import RDBSinks
@_exported public import RDBTransforms
@_exported public import RESPFormat
