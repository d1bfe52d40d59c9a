import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

extension Mode {
    /// Ways of getting more than one datagram by a call.
    static let datagramVariants: [Mode] = [
        classic("epoll-lt").variant(
            "epoll-mmsg", kernel: "3.0", workloads: [.datagram],
            summary: "recvmmsg(2) and sendmmsg(2): as many datagrams as are there by one call, 64 at the most"
        ) { $0.datagramCalls = .batch },
        coalescing(
            classic("epoll-lt").variant(
                "epoll-gro", kernel: "5.0", workloads: [.datagram],
                summary: "UDP_GRO and UDP_SEGMENT: datagrams of one sender as one piece of memory"
            ) { $0.datagramCalls = .segments }),
    ]

    private static func coalescing(_ mode: Mode) -> Mode {
        var capabilities = mode.capabilities
        capabilities.refusal = {
            do throws(Errno) {
                let socket = try DatagramSocket(for: .loopback())
                try setSocketOption(.coalescing, on: socket.descriptor)
                return nil
            } catch {
                return "this kernel has no UDP_GRO (\(error)); Linux 5.0 has all that is needed"
            }
        }
        return Mode(
            name: mode.name, alias: nil, mechanism: mode.mechanism, topologies: mode.topologies, kernel: mode.kernel,
            summary: mode.summary, capabilities: capabilities, limits: mode.limits, base: mode.base,
            options: mode.options)
    }
}
