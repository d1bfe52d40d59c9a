import Foundation
import Glibc
import LinuxDescriptors
import LinuxSockets
import Loops
import Meters
import Runs
import Servers
import SystemPackage

extension RunOptions {
    /// The servers that `--server` and `--target` name.
    ///
    /// - Parameter base: the plan with the address where servers of ours listen.
    func externalServers(_ base: RunPlan) throws -> [ExternalServer] {
        let timeout = try servers.serverTimeout.map { try bench.duration($0, "--server-timeout") }
        var found =
            try base.agent.map { try allowedServers(base, by: $0) }
            ?? servers.server.map { try command($0, base.server.address) }
        if let target = servers.target { found.append(try running(target)) }
        if servers.target == nil, let option = servers.given.first(where: { ["--pid", "--allow-remote"].contains($0) })
        {
            throw Failure(.usage, "\(option) belongs to --target HOST:PORT; give that too")
        }
        if found.isEmpty, timeout != nil {
            throw Failure(.usage, "--server-timeout belongs to --server or --target; give one of them too")
        }
        if accept.drain != nil, let server = found.first {
            throw Failure(
                .usage,
                "--drain holds connections back until a server of ours begins; \(server.name) accepts when it likes")
        }
        if exchange.fastOpen, let server = found.first(where: \.isUnix) {
            throw Failure(
                .usage,
                "--fast-open is an option of TCP, and \(server.name) listens on a unix socket; leave it out, or name a port"
            )
        }
        let names = found.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw Failure(.usage, "--server: two servers are called \(twice); give each a name of its own")
        }
        return found.map { server in
            var server = server
            server.timeoutNanoseconds = timeout ?? server.timeoutNanoseconds
            server.seed = base.loop.seed
            return server
        }
    }

    /// What was given of the options that say how our loops work, which mean nothing without a mode.
    var loopOptionsGiven: [String] {
        let own = [
            "--listener", "--close", "--service-time", "--service", "--rearm", "--defer-accept",
        ]
        var given = (network.given + connect.given + exchange.given).filter(own.contains) + wait.given
        if topology != nil { given.append("--topology") }
        if implementation != "swift" { given.append("--implementation") }
        return given
    }

    private func command(_ text: String, _ address: SocketAddress) throws -> ExternalServer {
        let (name, command) = try Self.serverCommand(text, by: "--server", port: address.port ?? 0)
        var server = ExternalServer(name, .command(command))
        server.address = address
        return server
    }

    /// The name and the command of `NAME=COMMAND`, checked.
    ///
    /// - Parameter option: where it was given.
    static func serverCommand(_ text: String, by option: String, port: UInt16) throws -> (name: String, command: String)
    {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, isName(parts[0]) else {
            throw Failure(
                .usage,
                "\(option) takes NAME=COMMAND, such as 'mine=./server --port {port}'; a name is of letters, digits, '.', "
                    + "'_' and '-', not '\(parts[0])'")
        }
        let command = parts[1]
        guard !command.allSatisfy(\.isWhitespace) else {
            throw Failure(.usage, "\(option) \(parts[0]): the command is empty; write \(parts[0])=COMMAND")
        }
        guard Mode.named(parts[0]) == nil else {
            throw Failure(.usage, "\(option) \(parts[0]): that is the name of a mode; call the server otherwise")
        }
        if let refusal = ExternalServer.refusal(of: command, port: port) {
            throw Failure(.usage, "\(option) \(parts[0]): \(refusal)")
        }
        try checkPlaceholders(command, of: "\(option) \(parts[0])")
        return (parts[0], command)
    }

    private static func isName(_ text: String) -> Bool {
        let allowed = text.utf8.allSatisfy { byte in
            let character = Character(UnicodeScalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
        }
        return allowed && (1...40).contains(text.utf8.count) && text.first != "-"
    }

    private static let placeholders = ["port", "socket", "address", "workers", "cpus"]

    /// A placeholder that is nearly one of ours is a mistake; other braces are the shell's or the program's.
    private static func checkPlaceholders(_ command: String, of name: String) throws {
        for part in command.split(separator: "{").dropFirst() {
            guard let end = part.firstIndex(of: "}") else { continue }
            let word = String(part[..<end])
            guard !placeholders.contains(word) else { continue }
            let hint = didYouMean(word.lowercased(), among: placeholders)
            guard !hint.isEmpty else { continue }
            throw Failure(
                .usage,
                "\(name): {\(word)} is not filled in\(hint) There are {port}, {socket}, {address}, {workers}, "
                    + "{cpus}")
        }
    }

    /// Where a server and its clients run; a target stays where it is.
    func placement(of plan: RunPlan) throws -> Placement {
        let placement = try placement(workers: plan.external.workers, clients: plan.clients, by: plan.agent)
        guard case .running = plan.external.origin else { return placement }
        return Placement(workers: [], clients: placement.clients)
    }

    private func running(_ target: String) throws -> ExternalServer {
        var server = ExternalServer(target, .running(process: servers.pid))
        server.address = try targetAddress(target)
        if server.address.family != AF_UNIX, !servers.allowRemote, !server.address.isOfThisMachine {
            throw Failure(
                .usage,
                "--target \(target) is another machine; add --allow-remote if its owner agrees to the load")
        }
        if let pid = servers.pid {
            guard pid > 0, kill(pid, 0) == 0 || errno == EPERM else {
                throw Failure(.usage, "--pid \(pid): there is no such process; see pgrep -a, or ss -ltnp")
            }
        }
        return server
    }

    private func targetAddress(_ target: String) throws -> SocketAddress {
        if target.hasPrefix("unix:") {
            do throws(Errno) {
                return try .unix(path: String(target.dropFirst(5)))
            } catch {
                throw Failure(.usage, "--target \(target): \(error); name the path of a socket, 107 bytes at the most")
            }
        }
        let colon = target.lastIndex(of: ":") ?? target.endIndex
        var host = String(target[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" { host = "127.0.0.1" }
        guard colon != target.endIndex, let port = UInt16(target[target.index(after: colon)...]), port > 0,
            let address = SocketAddress(numeric: host, port: port)
        else {
            throw Failure(
                .usage,
                "--target takes a numeric HOST:PORT such as 127.0.0.1:8080 or [::1]:8080, or unix:PATH, not '\(target)'"
            )
        }
        return address
    }
}

extension SocketAddress {
    /// Whether a socket of this machine can have it, which the kernel says when one is bound to it, unless it lets sockets
    /// have any address.
    fileprivate var isOfThisMachine: Bool {
        let version = family == AF_INET6 ? "ipv6" : "ipv4"
        let allowsAny = try? String(contentsOfFile: "/proc/sys/net/\(version)/ip_nonlocal_bind", encoding: .utf8)
        if allowsAny?.hasPrefix("1") == true { return isLoopback }
        do throws(Errno) {
            let here = withPort(0)
            try StreamSocket(for: here, .nonblocking).bind(to: here)
            return true
        } catch {
            return false
        }
    }
}

extension ExternalServer {
    /// Whether clients come by a unix socket.
    fileprivate var isUnix: Bool {
        if case .command(let command) = origin { command.contains("{socket}") } else { address.family == AF_UNIX }
    }

    /// Whether it can be told how many workers to have.
    var takesWorkers: Bool {
        if case .command(let command) = origin { command.contains("{workers}") } else { false }
    }
}
