import CBenchExtras
import Glibc
import LinuxDescriptors
import SystemPackage

/// What the kernel tells of its tracepoints in tracefs.
struct TraceFS: ~Copyable {
    private let root: OwnedDescriptor

    /// Where it is mounted, if it is.
    static let folders = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]

    /// Opens it where it is mounted, or else, from Linux 5.2 on and with `CAP_SYS_ADMIN`, mounts it where nobody else
    /// sees it and until it is closed.
    ///
    /// - Throws: `EACCES` where it is kept from this user, `ENOENT` where it is not mounted and cannot be.
    init() throws(Errno) {
        var folder: CInt
        do throws(Errno) {
            folder = try Self.open(Self.folders)
        } catch .noSuchFileOrDirectory {
            folder = c_mount_tracefs()
            guard folder >= 0 else { throw .noSuchFileOrDirectory }
        }
        root = OwnedDescriptor(owning: FileDescriptor(rawValue: folder))
    }

    /// Opens it in the first of the folders in which it is mounted.
    init(mountedAt folders: [String]) throws(Errno) {
        root = OwnedDescriptor(owning: FileDescriptor(rawValue: try Self.open(folders)))
    }

    private static func open(_ folders: [String]) throws(Errno) -> CInt {
        for folder in folders {
            guard unsafe access("\(folder)/events", F_OK) == 0 || errno == EACCES else { continue }
            return try systemCall { unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        }
        throw .noSuchFileOrDirectory
    }

    /// The number of a tracepoint, which is named with its group: `sched/sched_switch`.
    ///
    /// - Throws: `EACCES` where it is kept from this user, `ENOTSUP` where this kernel lacks it.
    func number(of tracepoint: String) throws(Errno) -> UInt64 {
        guard let number = UInt64(try text("events/\(tracepoint)/id").filter(\.isNumber)) else { throw .notSupported }
        return number
    }

    /// Where fields of a tracepoint begin in what a program gets, in bytes.
    ///
    /// - Throws: as ``number(of:)``; `ENOTSUP` also where it lacks a field, or the field is not of 32 bits.
    func offsets(of fields: [String], in tracepoint: String) throws(Errno) -> [Int16] {
        let format = try text("events/\(tracepoint)/format")
        var offsets: [Int16] = []
        for field in fields {
            guard let offset = Self.offset(of: field, in: format) else { throw .notSupported }
            offsets.append(offset)
        }
        return offsets
    }

    /// In lines such as `field:pid_t pid; offset:24; size:4; signed:1;`.
    static func offset(of field: String, in format: String) -> Int16? {
        for line in format.split(separator: "\n") {
            let parts = line.split(separator: ";").map { $0.drop(while: \.isWhitespace) }
            guard parts.count >= 3, parts[0].hasPrefix("field:"), parts[0].hasSuffix(" \(field)"), parts[2] == "size:4"
            else { continue }
            return parts[1].split(separator: ":").last.flatMap { Int16($0) }
        }
        return nil
    }

    private func text(_ path: String) throws(Errno) -> String {
        let file = unsafe c_open_at(root.descriptor.rawValue, path)
        guard file >= 0 else {
            throw errno == EACCES || errno == EPERM ? .permissionDenied : .notSupported
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw Errno(rawValue: errno) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// What an error means, and what mends it.
    static func meaning(of error: Errno, _ tracepoint: String) -> String {
        switch error {
        case .noSuchFileOrDirectory: "tracefs is not mounted: mount -t tracefs none /sys/kernel/tracing"
        case .notSupported: "this kernel lacks the tracepoint \(tracepoint)"
        default: "\(error)"
        }
    }
}
