import Foundation
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// A command of the shell that starts a server, with what stands in braces filled in.
struct ServerCommand {
    /// What the shell runs.
    let text: String
    /// Where the server is to listen.
    let address: SocketAddress
    /// Where its unix socket is to be; nil of a server with a port.
    let folder: SocketFolder?

    /// Makes a place for a unix socket, or finds a free port if the plan leaves it open, and fills it in.
    ///
    /// - Throws: one line if the command cannot listen where the clients will connect, or somebody else does.
    init(_ command: String, _ plan: ExternalServer) throws(RunError) {
        if let refusal = Self.refusal(of: command, port: plan.address.port ?? 0) {
            throw RunError(failed: "\(plan.name): \(refusal)")
        }
        if command.contains("{socket}") {
            let made = try SocketFolder()
            (folder, address) = (made, try Self.address(in: made))
        } else {
            (folder, address) = (nil, try Self.freeAddress(plan))
        }
        var text = command
        let values = [
            "port": address.port.map { "\($0)" } ?? "", "socket": folder?.socketPath ?? "", "address": address.host,
            "workers": "\(plan.workers)", "cpus": Self.processors(plan.placement),
        ]
        for (name, value) in values { text = text.replacing("{\(name)}", with: value) }
        self.text = text
    }

    /// Why the server could not be told where to listen; nil if it can.
    ///
    /// - Parameter port: the one that servers are to listen on; 0 if the kernel chooses.
    static func refusal(of command: String, port: UInt16) -> String? {
        switch (command.contains("{port}"), command.contains("{socket}")) {
        case (true, true):
            "the command has both {port} and {socket}, and clients connect to one of them; leave one out"
        case (false, false) where port == 0:
            "the command says neither where {port} nor where {socket} goes, so the server cannot be told where to "
                + "listen; put one in, or name the port that it listens on with --port"
        default: nil
        }
    }

    private static func address(in folder: SocketFolder) throws(RunError) -> SocketAddress {
        do throws(Errno) {
            return try .unix(path: folder.socketPath)
        } catch {
            throw RunError("unix socket \(folder.socketPath)", error)
        }
    }

    /// The processors of the server, as taskset(1) and nginx have them.
    private static func processors(_ placement: Placement) -> String {
        let processors = placement.workers.isEmpty ? Affinity.available() : Array(Set(placement.workers)).sorted()
        return processors.map(String.init).joined(separator: ",")
    }

    /// The plan's address, with a port that was free a moment ago. The kernel does not give it to a client meanwhile, nor
    /// lets one that waits for the server connect to itself, because it is none of the ephemeral ones.
    private static func freeAddress(_ plan: ExternalServer) throws(RunError) -> SocketAddress {
        if plan.address.port == 0 {
            for _ in 0..<tries {
                let port = UInt16.random(in: 10240..<max(EphemeralPorts.first, 10241))
                guard let address = SocketAddress(numeric: plan.address.host, port: port) else { break }
                if let free = try? listenOnce(address, plan) { return free }
            }
        }
        return try listenOnce(plan.address, plan)
    }

    private static let tries = 64

    /// The address after something has listened on it, and closed again.
    private static func listenOnce(_ wanted: SocketAddress, _ plan: ExternalServer) throws(RunError) -> SocketAddress {
        var call = "socket"
        do throws(Errno) {
            let socket = try StreamSocket(for: wanted, .nonblocking)
            try setSocketOption(.reuseAddress, on: socket.descriptor)
            call = "bind to \(wanted)"
            try socket.bind(to: wanted)
            // Sockets that do not listen may share an address.
            call = "listen on \(wanted)"
            let listener = try socket.listen(backlog: 1)
            let address = try listener.address
            try listener.close()
            return address
        } catch .addressInUse {
            throw taken(plan)
        } catch {
            throw RunError("\(plan.name): \(call)", error)
        }
    }

    private static func taken(_ plan: ExternalServer) -> RunError {
        RunError(
            failed:
                "\(plan.name): another program listens on \(plan.address) already; end it, or let the kernel choose "
                + "a port with {port}")
    }
}

/// The ports that the kernel gives to clients (`ip(7)`).
private enum EphemeralPorts {
    static let first =
        (try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8))
        .flatMap { UInt16($0.prefix { $0.isNumber }) } ?? 32768
}
