import ArgumentParser
import Foundation
import LinuxSockets
import Load
import Meters

/// What is spoken below a protocol.
struct TLSOptions: WorkloadOptions {
    static let workloads: [Workload] = [.crr, .read]
    static let title = "TLS (workloads crr, read)"

    @Flag(
        help: """
            Speaks TLS with --server and --target, by this machine's OpenSSL. Any certificate is taken, unless --tls-ca \
            is given.
            """)
    var tls = false

    @Option(help: "A file of certificates (PEM): the server's must come from one of them, and have the name.")
    var tlsCa: String?

    @Option(help: "The host name to ask for and to find in the certificate; the target's address if not given.")
    var tlsName: String?

    /// What connections need; nil if they are plain.
    ///
    /// - Parameters:
    ///   - host: where the server is, as the user calls it; nil of a unix socket.
    ///   - isForModes: loops of ours run too.
    /// - Throws: ``Failure`` for a mistake, and where there is no OpenSSL.
    func context(_ wire: WireProtocol, host: String?, isForModes: Bool) throws -> TLSContext? {
        guard tls else {
            guard let option = given.first else { return nil }
            throw Failure(.usage, "\(option) says how TLS is spoken; give --tls too")
        }
        guard !isForModes else {
            throw Failure(
                .usage, "--tls is for --server and --target, and leave --mode out: our own loops do not speak TLS")
        }
        if let tlsName, tlsName.isEmpty || tlsName.utf8.count > 253 {
            throw Failure(.usage, "--tls-name takes a host name, such as example.org")
        }
        guard let name = tlsName ?? host ?? (tlsCa == nil ? "" : nil) else {
            throw Failure(.usage, "--tls-ca looks for a name, which a unix socket does not have; give --tls-name NAME")
        }
        if let tlsCa, !FileManager.default.isReadableFile(atPath: tlsCa) {
            throw Failure(.usage, "--tls-ca \(tlsCa) cannot be read; name a file of certificates (PEM)")
        }
        do {
            return try TLSContext(
                authorities: tlsCa, name: name.isEmpty ? nil : name, protocols: wire == .http ? ["http/1.1"] : [])
        } catch {
            switch error {
            case .missing: throw Failure(.nothingSupported, "--tls: \(error)")
            case .authorities:
                throw Failure(.usage, "--tls-ca \(tlsCa ?? ""): \(error); name a file of certificates (PEM)")
            case .failed: throw Failure(.internalError, "--tls: OpenSSL says \(error)")
            }
        }
    }
}

extension RunOptions {
    /// What TLS connections of the options ask for.
    func tlsContext(_ wire: WireProtocol) throws -> TLSContext? {
        let isForModes = mode != nil || (servers.server.isEmpty && servers.target == nil)
        var host: String?
        if let target = servers.target {
            if !target.hasPrefix("unix:") { host = String(target[..<(target.lastIndex(of: ":") ?? target.endIndex)]) }
        } else {
            host = agents.agent.flatMap { SocketAddress.parts(of: $0)?.host } ?? network.address ?? "127.0.0.1"
        }
        if let name = host, name.hasPrefix("[") { host = String(name.dropFirst().dropLast()) }
        return try tls.context(wire, host: host, isForModes: isForModes)
    }
}
