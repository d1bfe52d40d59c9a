import CBenchExtras
import CSocketExtras
import Foundation
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// Runs a part of an experiment on a new thread in a network namespace of its own (`network_namespaces(7)`), where it
/// may change parameters. The namespace ends with that thread and its sockets, so nothing needs to be restored.
func inOwnNetworkNamespace<Outcome: Sendable>(_ body: @escaping @Sendable () throws -> Outcome) throws -> Outcome {
    let thread = try ScriptThread("namespace")
    defer { thread.end() }
    return try thread.perform {
        try enterNetworkNamespace()
        return try body()
    }
}

private func enterNetworkNamespace() throws {
    do throws(Errno) {
        _ = try systemCall { unshare(C_CLONE_NEWNET) }
        try setLoopbackUp()
    } catch .notPermitted {
        throw Unobservable("a network namespace of its own needs CAP_SYS_ADMIN: run as root")
    } catch .invalidArgument {
        throw Unobservable("this kernel was built without network namespaces")
    }
}

/// A new namespace begins with a loopback interface that is down.
private func setLoopbackUp() throws(Errno) {
    let socket = Shared(try StreamSocket(for: .loopback(), .nonblocking))
    _ = try systemCall { c_set_loopback_up(socket.value.descriptor.rawValue) }
}

/// Writes a parameter of the thread's network namespace (`net.ipv4.tcp_migrate_req`, `sysctl(8)`).
func setNetworkParameter(_ name: String, to value: String) throws {
    do {
        try Data(value.utf8).write(to: URL(fileURLWithPath: parameterPath(name)))
    } catch {
        throw Unobservable("\(name) cannot be set: it needs Linux 5.14 and a writable /proc/sys")
    }
}

/// Reads a parameter; nil if this kernel does not have it.
func networkParameter(_ name: String) -> String? {
    let text = try? String(contentsOfFile: parameterPath(name), encoding: .utf8)
    return text.map { $0.filter { !$0.isWhitespace } }
}

private func parameterPath(_ name: String) -> String {
    "/proc/sys/" + name.replacingOccurrences(of: ".", with: "/")
}
