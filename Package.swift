// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let strictForTests: [SwiftSetting] = [
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency], _ more: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + more)
}

func benchmark(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Benchmarks/\(name)", swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strictForTests)
}

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "linux-events",
    products: [
        .library(name: "LinuxDescriptors", targets: ["LinuxDescriptors"]),
        .library(name: "LinuxSockets", targets: ["LinuxSockets"]),
        .library(name: "LinuxReadiness", targets: ["LinuxReadiness"]),
        .library(name: "LinuxRings", targets: ["LinuxRings"]),
        .library(name: "LinuxExecutors", targets: ["LinuxExecutors"]),
        .executable(name: "bench", targets: ["bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.3"),
    ],
    targets: [
        .systemLibrary(name: "CEpoll", path: "CShims/CEpoll"),
        .systemLibrary(name: "CEventFD", path: "CShims/CEventFD"),
        .systemLibrary(name: "CSocketExtras", path: "CShims/CSocketExtras"),
        .systemLibrary(name: "CBenchExtras", path: "CShims/CBenchExtras"),
        .systemLibrary(
            name: "CIOUring", path: "CShims/CIOUring", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),

        library("LinuxDescriptors", ["CSocketExtras", system]),
        library("LinuxSockets", ["CSocketExtras", "LinuxDescriptors", system]),
        library("LinuxReadiness", ["CEpoll", "CEventFD", "CSocketExtras", "LinuxDescriptors", system]),
        library(
            "LinuxRings", ["CEventFD", "CIOUring", "LinuxDescriptors", system],
            [.enableExperimentalFeature("Lifetimes")]),
        library(
            "LinuxExecutors",
            ["CSocketExtras", "LinuxDescriptors", "LinuxSockets", "LinuxReadiness", "LinuxRings", system]),

        .target(name: "Allocations", path: "Benchmarks/Allocations"),
        benchmark(
            "Meters",
            [
                "Allocations", "CBenchExtras", "CSocketExtras", "LinuxDescriptors", "LinuxReadiness", "LinuxSockets",
                system, histogram,
            ]),
        benchmark("Statistics", []),
        benchmark("Records", ["Statistics", histogram]),
        benchmark("Reports", ["Records", "Statistics", histogram]),
        benchmark("Pictures", ["Records", "Reports", "Statistics", histogram]),
        .target(
            name: "Reference", dependencies: ["CIOUring"], path: "Benchmarks/Reference",
            exclude: [
                "connect-client.sh", "descriptor-ring.sh", "empty-calls.sh", "executors.sh", "instructions.sh",
                "interest-set.sh",
            ],
            linkerSettings: [.linkedLibrary("uring")]),
        benchmark(
            "Loops",
            [
                "CBenchExtras", "CEventFD", "CSocketExtras", "LinuxDescriptors", "LinuxExecutors", "LinuxSockets",
                "LinuxReadiness", "LinuxRings", "Meters", "Reference", "Statistics", system,
            ]),
        benchmark(
            "Load",
            [
                "CBenchExtras", "CSocketExtras", "LinuxDescriptors", "LinuxSockets", "LinuxReadiness", "Meters",
                "Statistics", system,
            ]),
        benchmark(
            "Servers",
            [
                "CBenchExtras", "CSocketExtras", "LinuxDescriptors", "LinuxSockets", "LinuxReadiness", "Loops",
                "Meters", system,
            ]),
        benchmark(
            "Runs",
            [
                "CBenchExtras", "CSocketExtras", "LinuxDescriptors", "LinuxSockets", "LinuxReadiness", "LinuxRings",
                "Load", "Loops", "Meters", "Records", "Servers", "Statistics", system, histogram,
            ]),
        benchmark(
            "Claims",
            [
                "CBenchExtras", "CIOUring", "CSocketExtras", "LinuxDescriptors", "LinuxSockets", "LinuxReadiness",
                "LinuxRings", "Load", "Loops", "Meters", "Records", "Runs", "Servers", "Statistics", system, histogram,
            ]),
        .executableTarget(
            name: "bench",
            dependencies: [
                "CBenchExtras", "Claims", "LinuxDescriptors", "LinuxSockets", "Load", "Loops", "Meters", "Pictures",
                "Records", "Reports", "Runs", "Servers", "Statistics", arguments, system, histogram,
            ],
            path: "Benchmarks/bench", swiftSettings: strict, plugins: ["CommitStamp"]),
        .plugin(name: "CommitStamp", capability: .buildTool(), path: "Benchmarks/CommitStamp", exclude: ["stamp.sh"]),

        .systemLibrary(name: "CTestSupport", path: "Tests/Support/CTestSupport"),
        .target(
            name: "TestSupport",
            dependencies: [
                "CBenchExtras", "CSocketExtras", "CTestSupport", "LinuxDescriptors", "LinuxSockets", system,
            ],
            path: "Tests/Support/TestSupport", swiftSettings: strictForTests),
        tests(
            "LinuxDescriptorsTests",
            ["CSocketExtras", "CTestSupport", "LinuxDescriptors", "LinuxSockets", "TestSupport", system]),
        tests(
            "LinuxSocketsTests",
            [
                "CBenchExtras", "CSocketExtras", "CTestSupport", "LinuxSockets", "LinuxDescriptors", "TestSupport",
                system,
            ]),
        tests(
            "LinuxReadinessTests",
            [
                "CBenchExtras", "CEpoll", "CSocketExtras", "CTestSupport", "LinuxReadiness", "LinuxSockets",
                "LinuxDescriptors", "TestSupport", system,
            ]),
        tests(
            "LinuxRingsTests",
            [
                "CEventFD", "CSocketExtras", "CTestSupport", "LinuxReadiness", "LinuxRings", "LinuxSockets",
                "LinuxDescriptors", "TestSupport", system,
            ]),
        tests(
            "LinuxExecutorsTests",
            [
                "Allocations", "CBenchExtras", "CSocketExtras", "CTestSupport", "LinuxExecutors", "LinuxReadiness",
                "LinuxRings", "LinuxSockets", "LinuxDescriptors", "TestSupport", system,
            ]),
        tests("ShimContractTests", ["CBenchExtras", "CEpoll", "CEventFD", "CIOUring", "CSocketExtras", system]),
        tests(
            "ClaimsTests",
            ["bench", "Claims", "LinuxRings", "Meters", "Records", "Reports", "Runs", "TestSupport", system]),
        .target(
            name: "RecordSamples", dependencies: ["Records", histogram], path: "Tests/Support/RecordSamples",
            exclude: ["Scripts"], swiftSettings: strictForTests),
        tests("StatisticsTests", ["RecordSamples", "Statistics"], exclude: ["Scripts"]),
        tests("RecordsTests", ["RecordSamples", "Records", "Statistics", "bench", histogram]),
        tests("ReportsTests", ["RecordSamples", "Records", "Reports", "Statistics", histogram]),
        tests(
            "MetersTests",
            [
                "CBenchExtras", "CTestSupport", "LinuxDescriptors", "LinuxSockets", "Meters", "TestSupport", system,
                histogram,
            ]),
        tests(
            "LoopsTests",
            [
                "CBenchExtras", "CIOUring", "LinuxDescriptors", "LinuxReadiness", "LinuxRings", "LinuxSockets", "Loops",
                "Meters", "Reference", "TestSupport", system,
            ]),
        tests(
            "LoadTests",
            ["LinuxDescriptors", "LinuxSockets", "Load", "Meters", "Statistics", "TestSupport", system, histogram]),
        .target(
            name: "RunSupport",
            dependencies: ["LinuxDescriptors", "LinuxRings", "Load", "Loops", "Meters", "Runs", histogram],
            path: "Tests/Support/RunSupport", swiftSettings: strictForTests),
        tests(
            "ServersTests",
            [
                "LinuxDescriptors", "LinuxRings", "LinuxSockets", "Load", "Loops", "Meters", "RunSupport", "Runs",
                "Servers", "TestSupport", system,
            ]),
        tests(
            "RunsTests",
            [
                "CBenchExtras", "CIOUring", "CSocketExtras", "LinuxDescriptors", "LinuxReadiness", "LinuxRings",
                "LinuxSockets", "Load", "Loops", "Meters", "Records", "Reports", "RunSupport", "Runs", "Servers",
                "Statistics", "TestSupport", system, histogram,
            ]),
        tests(
            "BenchTests",
            [
                "bench", "Claims", "Load", "Loops", "Meters", "Records", "Reports", "Runs", "Statistics", "TestSupport",
                arguments, histogram,
            ],
            exclude: ["Scripts"]),
        tests(
            "PicturesTests",
            ["Loops", "Pictures", "Records", "Reports", "Statistics", "TestSupport", "bench", histogram]),
    ],
    swiftLanguageModes: [.v6]
)
