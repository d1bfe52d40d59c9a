// swift-tools-version: 6.2
import PackageDescription

/// An example and the library products that it needs, no more.
func example(_ name: String, _ products: String...) -> Target {
    .executableTarget(
        name: name, dependencies: products.map { .product(name: $0, package: "linux-events") }, path: name,
        swiftSettings: [.treatAllWarnings(as: .error)])
}

let package = Package(
    name: "examples",
    dependencies: [.package(name: "linux-events", path: "..")],
    targets: [
        example("echo-set", "LinuxDescriptors", "LinuxReadiness", "LinuxSockets"),
        example("echo-ring", "LinuxDescriptors", "LinuxRings", "LinuxSockets"),
        example("echo-async", "LinuxDescriptors", "LinuxExecutors", "LinuxSockets"),
        example("http-hello", "LinuxDescriptors", "LinuxExecutors", "LinuxSockets"),
        example("udp-echo", "LinuxDescriptors", "LinuxReadiness", "LinuxSockets"),
        example("timers-and-signals", "LinuxReadiness"),
        example("accept-ring", "LinuxDescriptors", "LinuxRings", "LinuxSockets"),
        example("wake-eventfd", "LinuxReadiness"),
        example("descriptor-limit", "LinuxDescriptors"),
    ],
    swiftLanguageModes: [.v6]
)
