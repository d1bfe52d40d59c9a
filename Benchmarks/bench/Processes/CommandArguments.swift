import Foundation

var ownProgram: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
}

/// Why the arguments of this process are not known; nil if they are.
///
/// Swift reads them from `/proc/self/cmdline`. Without it there seem to be none, and the command without arguments would
/// run instead of what was asked for.
func argumentsRefusal(_ arguments: [String] = CommandLine.arguments) -> String? {
    // Only the kernel's /proc has a link to the number of whoever looks, and one to its program.
    let links = ["/proc/self", "/proc/self/exe"].map { try? FileManager.default.destinationOfSymbolicLink(atPath: $0) }
    guard let number = links[0], Int(number) != nil, links[1] != nil, !arguments.isEmpty else {
        return "the arguments cannot be read, since /proc/self/cmdline is not the kernel's; mount -t proc proc /proc"
    }
    return nil
}
