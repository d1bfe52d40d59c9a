import Glibc
import Meters

/// The sockets that processes have open, by their inodes, so that copies of one descriptor count once and descriptors of
/// other kinds, such as files that are opened when first needed, do not.
struct OpenSockets {
    /// Where each is open.
    private var places: [UInt64: Place] = [:]

    private struct Place {
        let process: Int32
        let descriptor: Int32
    }

    /// Looks into `/proc`; what cannot be read counts as not open.
    init(of processes: [Int32]) {
        var file = ProcFile()
        for process in processes {
            for descriptor in file.numbers(in: process, "fd") ?? [] {
                guard let inode = Self.inode(at: "/proc/\(process)/fd/\(descriptor)") else { continue }
                places[inode] = Place(process: process, descriptor: descriptor)
            }
        }
    }

    /// The inode of a socket; nil of what is none, or not there.
    static func inode(at path: String) -> UInt64? {
        var target = [UInt8](repeating: 0, count: 64)
        let length = unsafe readlink(path, &target, target.count)
        guard length > 0 else { return nil }
        let name = String(decoding: target[..<length], as: UTF8.self)
        return name.hasPrefix("socket:[") ? UInt64(name.dropFirst("socket:[".count).dropLast()) : nil
    }

    var inodes: Set<UInt64> { Set(places.keys) }

    /// Those that were not open earlier.
    func since(_ earlier: OpenSockets) -> OpenSockets {
        var new = self
        new.places = places.filter { earlier.places[$0.key] == nil }
        return new
    }

    /// Those that a server accepted from clients of this process which are gone.
    ///
    /// - Parameters:
    ///   - ends: of a connection to the server.
    ///   - refusal: set to why a socket could not be looked at, if one could not.
    func left(by ends: ConnectionEnds, refusal: inout String?) -> Set<UInt64> {
        var left: Set<UInt64> = []
        for (inode, place) in places {
            switch takeSocket(inode, descriptor: place.descriptor, of: place.process) {
            case .taken(let socket): if socket.isLeft(by: ends) { left.insert(inode) }
            case .gone: break
            case .refused(let error):
                refusal =
                    "the server's connections may not be looked at (pidfd_getfd: \(error)), so a leak would not be found; "
                    + "that needs Linux 5.6, and CAP_SYS_PTRACE where the server is another user's or in a container, or "
                    + "kernel.yama.ptrace_scope lets nobody look at what it did not start"
            }
        }
        return left
    }
}
