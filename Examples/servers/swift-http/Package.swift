// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "swift-http",
    platforms: [.macOS(.v14)],
    dependencies: [
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.26.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0"),
    ],
    targets: [
        .executableTarget(
            name: "flyingfox", dependencies: [.product(name: "FlyingFox", package: "FlyingFox")], path: "flyingfox"),
        .executableTarget(
            name: "hummingbird", dependencies: [.product(name: "Hummingbird", package: "hummingbird")],
            path: "hummingbird"),
    ]
)
