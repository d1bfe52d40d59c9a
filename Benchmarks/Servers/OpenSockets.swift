import Foundation
import Glibc
import LinuxSockets
import Meters

/// The sockets that processes have open, by their inodes, so that copies of one descriptor count once and descriptors of
/// other kinds, such as files that are opened when first needed, do not.
struct OpenSockets {
    private let inodes: Set<UInt64>
    private let processes: [Int32]

    /// Looks into `/proc`; what cannot be read counts as not open.
    init(of processes: [Int32]) {
        self.processes = processes
        inodes = processes.reduce(into: []) { $0.formUnion(Self.inodes(of: $1)) }
    }

    /// How many are accepted connections of a server, as far as that can be told, and were not open before.
    func accepted(by address: SocketAddress, since earlier: OpenSockets) -> Int {
        let new = inodes.subtracting(earlier.inodes)
        return new.isEmpty ? 0 : new.subtracting(othersThanAccepted(by: address)).count
    }

    /// All of a file of `/proc`, which says of itself that it is empty and gives a page at a time.
    private static func text(of path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var (all, page) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while case let count = unsafe read(file, &page, page.count), count > 0 { all += page[..<count] }
        return String(decoding: all, as: UTF8.self)
    }

    private static func inodes(of process: Int32) -> [UInt64] {
        let folder = "/proc/\(process)/fd"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap { name in
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"),
                target.hasPrefix("socket:[")
            else { return nil }
            return UInt64(target.dropFirst("socket:[".count).dropLast())
        }
    }

    /// Sockets that listen, or are connections that the server made itself, as a proxy does. A connection that its client
    /// reset is in no table any more.
    private func othersThanAccepted(by address: SocketAddress) -> Set<UInt64> {
        var others: Set<UInt64> = []
        for table in ["tcp", "tcp6"] {
            for row in rows(of: table) where row.count > 9 {
                let port = row[1].split(separator: ":").last.flatMap { UInt16($0, radix: 16) }
                if port != address.port || row[3] == "0A", let inode = UInt64(row[9]) { others.insert(inode) }
            }
        }
        for row in rows(of: "unix") where row.count > 6 {
            // An accepted one has the path of its listener, which has the flag __SO_ACCEPTCON.
            let isAccepted = address.port == nil && row.count > 7 && row[7] == address.host && row[3] == "00000000"
            if !isAccepted, let inode = UInt64(row[6]) { others.insert(inode) }
        }
        return others
    }

    /// The words of each line of a table of the server's network namespace.
    private func rows(of table: String) -> [[Substring]] {
        let text = processes.lazy.compactMap { Self.text(of: "/proc/\($0)/net/\(table)") }.first
        return (text ?? "").split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
    }
}
