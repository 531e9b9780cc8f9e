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
        // A product of its own: who only reads files need not build SwiftNIO.
        .library(name: "RDBServer", targets: ["RDBServer"]),
        .executable(name: "rdbkit", targets: ["rdbkit-cli"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
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
        .target(name: "RESPFormat", dependencies: ["RDBBytes", "RDBModel"], swiftSettings: strict),
        // An AOF can begin with an RDB.
        .target(
            name: "AOFFormat", dependencies: ["RDBBytes", "RDBModel", "RDBFormat", "RESPFormat"],
            swiftSettings: strict),
        // What a server would hold after the commands of a log: values that commands change, written as RDB.
        .target(
            name: "AOFState", dependencies: ["RDBBytes", "RDBModel", "RDBFormat", "RESPFormat", "AOFFormat"],
            swiftSettings: strict),
        .target(
            name: "RDBTransforms", dependencies: ["RDBBytes", "RDBModel", "CPCRE2"], swiftSettings: strict),
        .target(
            name: "RDBSinks", dependencies: ["RDBBytes", "RDBModel", "RDBFormat", "RESPFormat", "CRDBKernels"],
            swiftSettings: strict),
        .target(
            name: "RDBKit",
            dependencies: [
                "RDBBytes", "RDBModel", "RDBFormat", "RESPFormat", "AOFFormat", "AOFState", "RDBTransforms", "RDBSinks",
            ],
            swiftSettings: strict),
        // Above RDBKit, because a restore is a consumer of its loop over entries.
        .target(
            name: "RDBServer",
            dependencies: [
                "RDBBytes", "RDBModel", "RDBFormat", "RESPFormat", "RDBTransforms", "RDBSinks", "RDBKit",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "rdbkit-cli",
            dependencies: [
                "RDBKit", "RDBServer", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Tools and tests.
        .executableTarget(name: "rdbkit-bench", exclude: ["prepare.sh"], swiftSettings: relaxed),
        .target(
            name: "RDBTestSupport",
            dependencies: ["RDBBytes", "RDBModel", "RDBFormat", "RDBTransforms", "RDBSinks", "RDBKit"],
            path: "Tests/RDBTestSupport", swiftSettings: relaxed),
        .testTarget(
            name: "RDBBytesTests", dependencies: ["RDBBytes", "CLZ4", "CZlib", "RDBTestSupport"],
            swiftSettings: relaxed),
        .testTarget(
            name: "RDBFormatTests",
            dependencies: ["RDBBytes", "RDBModel", "RDBFormat", "RDBTransforms", "RDBTestSupport"],
            swiftSettings: relaxed),
        .testTarget(
            name: "RDBTransformsTests", dependencies: ["RDBBytes", "RDBModel", "RDBTransforms", "RDBTestSupport"],
            swiftSettings: relaxed),
        .testTarget(
            name: "RDBSinksTests", dependencies: ["RDBBytes", "RDBModel", "RDBSinks", "RDBKit", "RDBTestSupport"],
            swiftSettings: relaxed),
        .testTarget(
            name: "RDBKitTests", dependencies: ["RDBKit", "RDBTestSupport"], swiftSettings: relaxed),
        .testTarget(
            name: "RESPFormatTests", dependencies: ["RDBBytes", "RESPFormat", "RDBTestSupport"],
            swiftSettings: relaxed),
        .testTarget(
            name: "AOFFormatTests",
            dependencies: ["RDBBytes", "RDBFormat", "RESPFormat", "AOFFormat", "RDBKit", "RDBTestSupport"],
            swiftSettings: relaxed),
        .testTarget(
            name: "AOFStateTests",
            dependencies: [
                "RDBBytes", "RDBModel", "RDBFormat", "RESPFormat", "AOFFormat", "AOFState", "RDBKit", "RDBTestSupport",
                "ServerHarness", "FuzzEntrances",
            ],
            swiftSettings: relaxed),
        .target(name: "ServerHarness", path: "Tests/ServerHarness", swiftSettings: relaxed),
        .target(
            name: "FuzzEntrances", dependencies: ["RDBKit"], path: "Tests/FuzzEntrances", swiftSettings: relaxed),
        .testTarget(name: "FuzzRegressionTests", dependencies: ["FuzzEntrances"], swiftSettings: relaxed),
        .testTarget(name: "CommandTests", dependencies: ["RDBKit"], swiftSettings: relaxed),
        .testTarget(
            name: "RDBServerTests",
            dependencies: [
                "RDBBytes", "RESPFormat", "RDBKit", "RDBServer", "ServerHarness",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: relaxed),
        .testTarget(name: "ServerTests", dependencies: ["ServerHarness"], swiftSettings: relaxed),
        .testTarget(name: "RestoreTests", dependencies: ["ServerHarness"], swiftSettings: relaxed),
        .testTarget(name: "SnapshotTests", dependencies: ["ServerHarness"], swiftSettings: relaxed),
        .testTarget(
            name: "MemoryTests", dependencies: ["RDBModel", "RDBTransforms", "RDBKit", "ServerHarness"],
            swiftSettings: relaxed),
    ],
    swiftLanguageModes: [.v6]
)

// Fuzzers bring no main of their own, so they link only with libFuzzer: RDBKIT_FUZZ=1 swift build
// --scratch-path .build-fuzz --sanitize=fuzzer --sanitize=address -Xswiftc -sanitize=fuzzer,address
if Context.environment["RDBKIT_FUZZ"] != nil {
    for entrance in ["rdb", "value", "lzf", "resp", "aof", "state"] {
        package.targets.append(
            .executableTarget(
                name: "rdbkit-fuzz-\(entrance)", dependencies: ["FuzzEntrances"], swiftSettings: relaxed))
    }
}

// While working on one part, only its tests are built: RDBKIT_TESTS=AOFStateTests,RDBFormatTests swift test
if let wanted = Context.environment["RDBKIT_TESTS"] {
    let names = wanted.split(separator: ",").map(String.init)
    package.targets.removeAll { $0.type == .test && !names.contains($0.name) }
}
