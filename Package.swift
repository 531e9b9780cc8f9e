// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// Tests, tools and the command line: the same rules, without `unsafe` marks.
let relaxed: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "rdbkit",
    products: [
        .library(name: "RDBKit", targets: ["RDBKit"]),
        .executable(name: "rdbkit", targets: ["rdbkit-cli"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // C: the system's libraries, and the kernels that want processor intrinsics.
        .systemLibrary(name: "CLZF", pkgConfig: "liblzf", providers: [.apt(["liblzf-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .target(name: "CRDBKernels"),

        // Layers, lowest first; an edge only ever points down.
        .target(
            name: "RDBBytes", dependencies: ["CRDBKernels", "CLZF", "CZlib", "CLZ4"], swiftSettings: strict),
        .target(name: "RDBModel", dependencies: ["RDBBytes"], swiftSettings: strict),
        .target(name: "RDBFormat", dependencies: ["RDBBytes", "RDBModel"], swiftSettings: strict),
        .target(
            name: "RDBTransforms", dependencies: ["RDBBytes", "RDBModel", "CPCRE2"], swiftSettings: strict),
        .target(
            name: "RDBSinks", dependencies: ["RDBBytes", "RDBModel", "CRDBKernels"], swiftSettings: strict),
        .target(
            name: "RDBKit",
            dependencies: ["RDBBytes", "RDBModel", "RDBFormat", "RDBTransforms", "RDBSinks"],
            swiftSettings: strict),
        .executableTarget(
            name: "rdbkit-cli",
            dependencies: [
                "RDBKit", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Tools and tests.
        .executableTarget(name: "rdbkit-bench", exclude: ["prepare.sh"], swiftSettings: relaxed),
        .target(name: "ServerHarness", path: "Tests/ServerHarness", swiftSettings: relaxed),
        .testTarget(name: "CommandTests", swiftSettings: relaxed),
        .testTarget(name: "ServerTests", dependencies: ["ServerHarness"], swiftSettings: relaxed),
    ],
    swiftLanguageModes: [.v6]
)
