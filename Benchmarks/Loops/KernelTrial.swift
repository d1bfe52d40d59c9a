import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import SystemPackage

/// What the kernel is asked by trying it; each says what is missing, and is nil where nothing is.
package enum KernelTrial {
    /// Waits with `epoll_pwait2(2)`.
    package static func preciseWaits() -> String? {
        let events = EpollEventBuffer(capacity: 1)
        return refusal("this kernel has no epoll_pwait2, or a filter forbids it; Linux 5.11 has it") {
            (set) throws(Errno) in _ = try set.waitPrecisely(into: events, timeout: .zero)
        }
    }

    /// Sets that look at the queues of network devices.
    static func setsThatPollDevices() -> String? {
        refusal("this kernel has no EPIOCSPARAMS; Linux 6.9 has it, with CONFIG_NET_RX_BUSY_POLL") {
            (set) throws(Errno) in _ = try set.busyPolling()
        }
    }

    /// Datagrams of one sender as one piece of memory (`UDP_GRO`).
    static func coalescedDatagrams() -> String? {
        do throws(Errno) {
            let socket = try DatagramSocket(for: .loopback())
            try setSocketOption(.coalescing, on: socket.descriptor)
            return nil
        } catch {
            return "this kernel has no UDP_GRO (\(error)); Linux 5.0 has all that is needed"
        }
    }

    /// Memory of a process in a pipe (`vmsplice(2)`).
    static func lentMemory() -> String? {
        do throws(Errno) {
            var pipe = try SplicePipe(bytes: 1)
            let byte: UInt8 = 0
            let result = unsafe withUnsafeBytes(of: byte) { unsafe pipe.lend($0) }
            if result == 1 { return nil }
            throw Errno(rawValue: CInt(-result))
        } catch {
            return "vmsplice: \(error); Linux has it since 2.6.17, and a filter may forbid it"
        }
    }

    /// The reason if a set cannot do something.
    private static func refusal(_ reason: String, _ attempt: (borrowing Epoll) throws(Errno) -> Void) -> String? {
        do throws(Errno) {
            let set = try Epoll()
            try attempt(set)
            return nil
        } catch {
            return reason
        }
    }
}
