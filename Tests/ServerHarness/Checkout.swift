/// Where things are in the checkout that these tests were built from.
package enum Checkout {
    /// The folder with `Package.swift`.
    package static let root: String = {
        // This file is Tests/ServerHarness/Checkout.swift.
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    package static let testdata = root + "/testdata"
}
