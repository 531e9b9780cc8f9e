import Testing

extension Tag {
    /// Starts a server.
    @Tag static var server: Self
    /// Takes more than a few seconds.
    @Tag static var slow: Self
}
