import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import Meters
import SystemPackage

/// A pipe of one worker, through which bytes go from socket to socket without a copy into memory of the process
/// (`splice(2)`). It is empty between two connections.
struct SplicePipe: ~Copyable {
    private let reader: OwnedDescriptor
    private let writer: OwnedDescriptor
    /// Bytes of memory that are in it.
    private(set) var lent = 0

    /// Opens a pipe that takes so many bytes at least, as far as the user may have such a large one.
    init(bytes: Int) throws(Errno) {
        var ends: (CInt, CInt) = (-1, -1)
        let result = unsafe withUnsafeMutablePointer(to: &ends) {
            unsafe $0.withMemoryRebound(to: CInt.self, capacity: 2) { unsafe pipe2($0, O_CLOEXEC | O_NONBLOCK) }
        }
        if result != 0 { throw Errno(rawValue: errno) }
        reader = OwnedDescriptor(owning: FileDescriptor(rawValue: ends.0))
        writer = OwnedDescriptor(owning: FileDescriptor(rawValue: ends.1))
        // A pipe has 16 places of a page, and each segment takes one: a smaller pipe would move fewer messages at once.
        if bytes > 65_536 { c_set_pipe_size(ends.1, CInt(clamping: bytes)) }
    }

    /// Takes what a socket has, as far as there is room; a negative error number.
    @inline(__always) func fill(from socket: CInt, atMost count: Int) -> Int {
        let moved = c_splice(socket, writer.descriptor.rawValue, count)
        return moved < 0 ? -Int(errno) : moved
    }

    /// Gives a socket what is in the pipe, as far as it takes it; a negative error number.
    @inline(__always) func drain(into socket: CInt, count: Int) -> Int {
        let moved = c_splice(reader.descriptor.rawValue, socket, count)
        return moved < 0 ? -Int(errno) : moved
    }

    /// Puts memory into it, as far as there is room, without a copy (`vmsplice(2)`); a negative error number.
    @unsafe @inline(__always) mutating func lend(_ bytes: UnsafeRawBufferPointer) -> Int {
        let taken = unsafe c_vmsplice(writer.descriptor.rawValue, bytes.baseAddress, bytes.count)
        if taken < 0 { return -Int(errno) }
        lent += taken
        return taken
    }

    /// Gives a socket memory, as far as it takes it, of which the first bytes may be in the pipe already; a negative error
    /// number. `meter` counts what is called beside one `splice(2)`.
    @unsafe @inline(__always)
    mutating func send(_ bytes: UnsafeRawBufferPointer, to socket: CInt, _ meter: WorkerMeter) -> Int {
        if lent < bytes.count {
            meter.add(.systemCalls)
            let result = unsafe lend(UnsafeRawBufferPointer(rebasing: bytes[lent...]))
            // When the pipe is full, there is something to go on with.
            if result < 0 && lent == 0 { return result }
        }
        let moved = drain(into: socket, count: lent)
        if moved > 0 { lent -= moved }
        return moved
    }
}
