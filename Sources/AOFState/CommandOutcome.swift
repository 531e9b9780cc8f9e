/// What a command did to the keyspace.
enum CommandOutcome: Equatable {
    /// What it is for; that may have been nothing.
    case applied
    /// A server answers it with an error and goes on loading: it has no effect.
    case refused
    /// It has the wrong number of arguments, for which a server stops loading.
    case wrongArgumentCount
    /// What it does is not known without a server: it runs a script or belongs to a module, or is not known at all.
    case cannotRun
    /// It would make a value so large that nothing in the log speaks for it.
    case tooLarge
}
