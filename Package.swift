// swift-tools-version: 6.2
import PackageDescription

// .ci/run sets it: then a warning in one of Ponte's own targets fails the build.
let strictness: [SwiftSetting] =
    Context.environment["PONTE_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let ours: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + strictness

func nio(_ product: String) -> Target.Dependency { .product(name: product, package: "swift-nio") }

let package = Package(
    name: "ponte",
    products: [
        .executable(name: "ponte", targets: ["ponte"]),
        .library(name: "UpstreamDriver", targets: ["UpstreamDriver"]),
        .library(name: "Conformance", targets: ["Conformance"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // libcurl and the shims for its variadic calls.
        .systemLibrary(
            name: "CCurl", path: "Sources/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        // Calls of Linux that Swift cannot make.
        .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
        // JSON in, JSON out, on bytes.
        .target(name: "JSONBytes", swiftSettings: ours),
        // Strict reading of Ponte's own configuration files.
        .target(name: "StrictConfig", dependencies: ["JSONBytes"], swiftSettings: ours),
        // The contract's entity, values, errors and wire form.
        .target(name: "ClientContract", dependencies: ["JSONBytes"], swiftSettings: ours),
        // What is counted, and how it is written for Prometheus.
        .target(name: "Metering", dependencies: ["ClientContract"], swiftSettings: ours),
        // HTTP over libcurl.
        .target(name: "Transport", dependencies: ["CCurl"], swiftSettings: ours),
        // What a driver is.
        .target(name: "UpstreamDriver", dependencies: ["ClientContract"], swiftSettings: ours),
        // What several drivers need.
        .target(
            name: "DriverSupport",
            dependencies: ["JSONBytes", "ClientContract", "UpstreamDriver", "Transport"],
            path: "Sources/Drivers/DriverSupport", swiftSettings: ours),
        // The declarative driver.
        .target(
            name: "RESTDriver",
            dependencies: [
                "JSONBytes", "StrictConfig", "ClientContract", "UpstreamDriver", "Transport", "DriverSupport",
            ],
            path: "Sources/Drivers/RESTDriver", swiftSettings: ours),
        // HL7 FHIR R4.
        .target(
            name: "FHIRDriver",
            dependencies: [
                "JSONBytes", "StrictConfig", "ClientContract", "UpstreamDriver", "Transport", "DriverSupport",
            ],
            path: "Sources/Drivers/FHIRDriver", swiftSettings: ours),
        // What is known of earlier creates, and where it is kept.
        .target(
            name: "Idempotency",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "GRDB", package: "GRDB.swift"),
            ], swiftSettings: ours),
        // GNU Health on Tryton, by JSON-RPC.
        .target(
            name: "TrytonDriver",
            dependencies: ["JSONBytes", "ClientContract", "UpstreamDriver", "Transport", "DriverSupport"],
            path: "Sources/Drivers/TrytonDriver", swiftSettings: ours),
        // The contract's semantics over any driver.
        .target(
            name: "Bridge", dependencies: ["ClientContract", "UpstreamDriver", "Idempotency"], swiftSettings: ours),
        // Server, tenant and driver files.
        .target(
            name: "Tenancy",
            dependencies: [
                "JSONBytes", "StrictConfig", "ClientContract", "UpstreamDriver", "RESTDriver", "FHIRDriver",
                "TrytonDriver",
                "Transport", "Bridge", "Idempotency", "Metering", .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: ours),
        // The inbound HTTP server.
        .target(
            name: "Gateway",
            dependencies: [
                "CLinux", "JSONBytes", "ClientContract", "UpstreamDriver", "Transport", "Bridge", "Tenancy", "Metering",
                nio("NIOCore"), nio("NIOHTTP1"), nio("NIOTLS"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: ours),
        // Pretend clinic systems.
        .target(
            name: "MockUpstream",
            dependencies: ["JSONBytes", nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1")], swiftSettings: ours),
        // The kit that certifies a driver.
        .target(
            name: "Conformance", dependencies: ["ClientContract", "UpstreamDriver", "Bridge"], swiftSettings: ours),
        // The shipped drivers and profiles, certified against the mock.
        .target(
            name: "Certification",
            dependencies: [
                "Conformance", "ClientContract", "UpstreamDriver", "RESTDriver", "FHIRDriver", "TrytonDriver",
                "Transport", "Tenancy",
                "MockUpstream",
            ], swiftSettings: ours),
        // Specs: reading them, and playing them against a real Ponte.
        .target(
            name: "Replay",
            dependencies: [
                "JSONBytes", "StrictConfig", "MockUpstream", "Tenancy", "Gateway", "Transport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: ours),
        // Tools for whoever connects a system.
        .target(
            name: "Workbench",
            dependencies: [
                "JSONBytes", "StrictConfig", "ClientContract", "UpstreamDriver", "RESTDriver", "Transport", "Bridge",
                "Tenancy",
            ], swiftSettings: ours),
        // Numbered rules over the configuration.
        .target(
            name: "Audit",
            dependencies: ["JSONBytes", "ClientContract", "UpstreamDriver", "Transport", "Bridge", "Tenancy"],
            swiftSettings: ours),
        // The command line.
        .executableTarget(
            name: "ponte",
            dependencies: [
                "Audit", "Workbench", "RESTDriver", "ClientContract", "Gateway", "Tenancy", "MockUpstream", "Replay",
                "Conformance",
                "Certification", "JSONBytes", "StrictConfig", "Transport", "Metering",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: ours),
        // Figures, not tests.
        .executableTarget(
            name: "ponte-bench",
            dependencies: [
                "JSONBytes", "StrictConfig", "ClientContract", "UpstreamDriver", "RESTDriver", "Transport",
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"),
            ],
            path: "Sources/Benchmarks", swiftSettings: ours),

        // Answers Tests/Oracles/check_values.py.
        .executableTarget(
            name: "values-probe", dependencies: ["JSONBytes", "ClientContract", "RESTDriver"],
            path: "Tests/Oracles/Probe", swiftSettings: ours),

        // What several test targets use.
        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: ours),
        // What tests of several drivers need.
        .target(
            name: "DriverTestSupport", dependencies: ["Transport", "UpstreamDriver"], path: "Tests/DriverSupport",
            swiftSettings: ours),
        .testTarget(name: "JSONBytesTests", dependencies: ["JSONBytes", "TestSupport"], swiftSettings: ours),
        .testTarget(name: "MeteringTests", dependencies: ["Metering", "ClientContract"], swiftSettings: ours),
        .testTarget(name: "StrictConfigTests", dependencies: ["StrictConfig"], swiftSettings: ours),
        .testTarget(
            name: "ClientContractTests", dependencies: ["ClientContract", "JSONBytes", "TestSupport"],
            swiftSettings: ours),
        .testTarget(
            name: "TransportTests",
            dependencies: [
                "Transport", "TestSupport", nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            ], swiftSettings: ours),
        .testTarget(
            name: "RESTDriverTests",
            dependencies: [
                "RESTDriver", "DriverSupport", "Bridge", "MockUpstream", "Transport", "JSONBytes", "StrictConfig",
                "ClientContract", "UpstreamDriver", "Workbench", "TestSupport", "DriverTestSupport", nio("NIOCore"),
                nio("NIOPosix"), nio("NIOHTTP1"),
            ],
            swiftSettings: ours),
        .testTarget(
            name: "TrytonDriverTests",
            dependencies: [
                "TrytonDriver", "DriverSupport", "Bridge", "MockUpstream", "Transport", "JSONBytes", "ClientContract",
                "UpstreamDriver", "TestSupport", "DriverTestSupport",
            ], swiftSettings: ours),
        .testTarget(
            name: "FHIRDriverTests",
            dependencies: [
                "FHIRDriver", "DriverSupport", "Bridge", "MockUpstream", "Transport", "JSONBytes", "StrictConfig",
                "ClientContract", "UpstreamDriver", "TestSupport", "DriverTestSupport",
            ],
            swiftSettings: ours),
        .testTarget(name: "IdempotencyTests", dependencies: ["Idempotency", "TestSupport"], swiftSettings: ours),
        .testTarget(
            name: "BridgeTests",
            dependencies: ["Bridge", "UpstreamDriver", "ClientContract", "Idempotency", "TestSupport"],
            swiftSettings: ours),
        .testTarget(
            name: "TenancyTests",
            dependencies: [
                "Tenancy", "Bridge", "StrictConfig", "JSONBytes", "Transport", "ClientContract", "UpstreamDriver",
                "MockUpstream", "TestSupport",
            ], swiftSettings: ours),
        .testTarget(
            name: "AuditTests", dependencies: ["Audit", "Tenancy", "JSONBytes", "TestSupport"], swiftSettings: ours),
        .testTarget(
            name: "WorkbenchTests",
            dependencies: [
                "Workbench", "RESTDriver", "Tenancy", "MockUpstream", "Transport", "JSONBytes", "ClientContract",
                "StrictConfig", "UpstreamDriver", "TestSupport",
            ], swiftSettings: ours),
        .testTarget(
            name: "MockUpstreamTests", dependencies: ["MockUpstream", "JSONBytes", "TestSupport"], swiftSettings: ours),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "Conformance", "Certification", "RESTDriver", "TrytonDriver", "Transport", "JSONBytes",
                "ClientContract", "UpstreamDriver", "TestSupport",
            ], swiftSettings: ours),
        // What the fuzzers run, and what they found.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "JSONBytes", "StrictConfig", "ClientContract", "Transport", "UpstreamDriver", "RESTDriver",
                "FHIRDriver", "TrytonDriver", "Bridge", "Tenancy", "Gateway", nio("NIOHTTP1"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ], swiftSettings: ours),
        // Runs the program that is built beside it.
        // Does so too, with pretend clinic systems that misbehave.
        .testTarget(
            name: "FaultTests",
            dependencies: [
                "MockUpstream", "Transport", "JSONBytes", "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: ours),
        .testTarget(name: "ReplayTests", dependencies: ["MockUpstream", "TestSupport"], swiftSettings: ours),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Tenancy", "Bridge", "ClientContract", "UpstreamDriver", "MockUpstream", "Transport",
                "Idempotency", "JSONBytes", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: ours),
    ]
)

// scripts/sanitize builds a few test targets, with what they need and nothing else.
if let wanted = Context.environment["PONTE_TEST_TARGETS"] {
    var left = wanted.split(separator: " ").map(String.init)
    var kept: Set<String> = []
    while let name = left.popLast() {
        guard kept.insert(name).inserted, let target = package.targets.first(where: { $0.name == name }) else {
            continue
        }
        for case .byNameItem(let dependency, _) in target.dependencies { left.append(dependency) }
    }
    package.targets.removeAll { !kept.contains($0.name) }
    package.products = []
}
