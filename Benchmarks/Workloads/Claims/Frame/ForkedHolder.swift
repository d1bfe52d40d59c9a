import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import SystemPackage

/// A child process made by `fork(2)` that does nothing but hold descriptors of its parent, and close them when told.
struct ForkedHolder: ~Copyable {
    let process: pid_t
    private let control: OwnedDescriptor

    /// Forks; when this returns the child holds these descriptors and no others.
    init(keeping descriptors: [FileDescriptor]) throws {
        let ends = try unsafe descriptorPair {
            unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, $0)
        }
        let (near, far) = (ends[0], ends[1])
        let kept = descriptors.map(\.rawValue)
        let child = unsafe c_fork_holder(far, kept, CInt(kept.count))
        let error = errno
        _ = Glibc.close(far)
        let control = owned(near)
        guard child > 0 else { throw Errno(rawValue: error) }
        try Self.awaitAnswer(control.descriptor)
        process = child
        self.control = control
    }

    /// The child closes its copy of one of the descriptors; done when this returns.
    func close(_ index: UInt8) throws {
        var byte = index
        let number = control.descriptor.rawValue
        _ = try systemCall { unsafe write(number, &byte, 1) }
        try Self.awaitAnswer(control.descriptor)
    }

    private static func awaitAnswer(_ control: FileDescriptor) throws {
        var byte: UInt8 = 0
        let count = try systemCall { unsafe read(control.rawValue, &byte, 1) }
        guard count == 1 else { throw ScriptError("the child ended") }
    }

    /// Ends the child and waits for its end.
    consuming func end() {
        let process = process
        try? control.close()
        var status: CInt = 0
        while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
    }
}
