import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import SystemPackage

/// A child process made by `fork(2)` that only holds descriptors of its parent, and closes them on request.
///
/// It ends with this value, also where an error cuts the script short, and leaves no zombie.
struct ForkedHolder: Scene, ~Copyable {
    let process: pid_t
    private let control: CInt

    /// Forks; when this returns the child holds these descriptors and no others.
    init(keeping descriptors: [BorrowedDescriptor]) throws {
        let ends = try SocketPair().release()
        let (near, far) = (ends[0], ends[1])
        let child = unsafe c_fork_holder(far, descriptors.map(\.rawValue), CInt(descriptors.count))
        let error = errno
        _ = Glibc.close(far)
        guard child > 0 else {
            _ = Glibc.close(near)
            throw Errno(rawValue: error)
        }
        do {
            try Self.awaitAnswer(near)
        } catch {
            Self.end(child, near)
            throw error
        }
        process = child
        control = near
    }

    /// Lets the child close its copy of a descriptor; done when this returns.
    func close(_ index: UInt8) throws {
        var byte = index
        _ = try systemCall { unsafe write(control, &byte, 1) }
        try Self.awaitAnswer(control)
    }

    private static func awaitAnswer(_ control: CInt) throws {
        guard try awaitReadiness(of: BorrowedDescriptor(rawValue: control), POLLIN) else {
            throw Undecided("a child of this process did not answer within 10 s")
        }
        var byte: UInt8 = 0
        let count = try systemCall { unsafe read(control, &byte, 1) }
        guard count == 1 else { throw ScriptError("the child ended") }
    }

    /// The child reads the end of the stream, and exits.
    private static func end(_ process: pid_t, _ control: CInt) {
        _ = Glibc.close(control)
        _ = exitStatus(of: process)
    }

    deinit { Self.end(process, control) }
}

/// Waits for the end of a child process (`waitpid(2)`).
func exitStatus(of process: pid_t) -> CInt {
    var status: CInt = 0
    while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return (status >> 8) & 0xff
}
