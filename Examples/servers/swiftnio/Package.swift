// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "echo",
    dependencies: [.package(url: "https://github.com/apple/swift-nio", from: "2.80.0")],
    targets: [
        .executableTarget(
            name: "echo",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ], path: ".", sources: ["main.swift"])
    ]
)
