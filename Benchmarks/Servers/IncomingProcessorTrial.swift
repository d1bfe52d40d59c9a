import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// Whether the kernel goes by `SO_INCOMING_CPU` when it picks a listener of a `SO_REUSEPORT` group. It takes the option
/// without a word when it does not, so connections have to tell: on loopback they arrive on the processor of the client.
enum IncomingProcessorTrial {
    /// Why it does not; nil if it does.
    static let refusal: String? = {
        let processor = Affinity.available().first ?? 0
        do throws(Errno) {
            if try isPicked(processor) { return nil }
            return
                "reuseport-incoming-cpu: this kernel picks a listener of a group by its hash alone; Linux 6.2 goes by "
                + "SO_INCOMING_CPU"
        } catch {
            return "reuseport-incoming-cpu: SO_INCOMING_CPU could not be tried: \(error)"
        }
    }()

    private static let clients = 16

    /// True if all connections from a processor come to its listener; by their hash that happens once in 65 536 times.
    private static func isPicked(_ processor: Int) throws(Errno) -> Bool {
        let own = try Listener(.loopback(), options(processor))
        let address = try own.address
        let other = try Listener(address, options(processor + 1))
        let connecting = BenchThread("trial", processor: processor) { () throws(Errno) in
            for _ in 0..<clients {
                let socket = try StreamSocket(for: address, .blocking)
                try setSocketOption(.resetOnClose, on: socket.descriptor)
                try socket.connect(to: address).close()
            }
        }
        if case .failure(let error) = connecting.join() { throw error }
        // A reset connection is still in its listener's queue.
        let picked = try count(own)
        let missed = try count(other)
        return picked == clients && missed == 0
    }

    private static func options(_ processor: Int) -> [SocketOption] {
        [.reuseAddress, .reusePort, .incomingProcessor(processor)]
    }

    private static func count(_ listener: borrowing Listener) throws(Errno) -> Int {
        var count = 0
        while let connection = try listener.accept() {
            try connection.close()
            count += 1
        }
        return count
    }
}
