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

    /// Finds a free port if the plan leaves it open, and fills it in.
    ///
    /// - Throws: one line if the command cannot listen where the clients will connect, or somebody else does.
    init(_ command: String, _ plan: ExternalServer) throws(RunError) {
        let namesPort = command.contains("{port}")
        if plan.address.port == nil, namesPort {
            throw RunError(failed: "\(plan.name): a unix socket has no {port}; let the command use {address}")
        }
        if plan.address.port == 0, !namesPort {
            throw RunError(
                failed: "\(plan.name): the command does not say where {port} goes, so the server cannot be told its "
                    + "port; write {port} into it, or name the port that it listens on")
        }
        address = try Self.freeAddress(plan)
        var text = command
        let values = [
            "port": address.port.map { "\($0)" } ?? "", "address": address.host, "workers": "\(plan.workers)",
            "cpus": Self.processors(plan.placement),
        ]
        for (name, value) in values { text = text.replacing("{\(name)}", with: value) }
        self.text = text
    }

    /// The processors of the server, as taskset(1) and nginx have them.
    private static func processors(_ placement: Placement) -> String {
        let processors = placement.workers.isEmpty ? Affinity.available() : Array(Set(placement.workers)).sorted()
        return processors.map(String.init).joined(separator: ",")
    }

    /// The plan's address, with a port that was free a moment ago. The kernel does not give it to a client meanwhile, nor
    /// lets one that waits for the server connect to itself, because it is none of the ephemeral ones.
    private static func freeAddress(_ plan: ExternalServer) throws(RunError) -> SocketAddress {
        guard plan.address.port != nil else {
            guard !ConnectionAttempt(plan.address).succeedsAtOnce else { throw taken(plan) }
            return plan.address
        }
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
