import CBenchExtras
import Glibc
import LinuxDescriptors
import SystemPackage

/// Ready replies in a file of memory (`memfd_create(2)`), from which the kernel sends them without a copy
/// (`sendfile(2)`).
@safe struct ReplyFile: ~Copyable {
    private let file: OwnedDescriptor
    private let start: UnsafeRawPointer
    // Where the replies are in memory is how a loop names them.
    private let replies: ReadyReplies

    /// Writes all replies to a file.
    init(_ replies: ReadyReplies) throws(Errno) {
        let bytes = unsafe replies.all
        guard let first = bytes.baseAddress else { throw .invalidArgument }
        let file = unsafe try Self.make(bytes)
        self.file = file
        self.replies = replies
        unsafe start = first
    }

    @unsafe private static func make(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> OwnedDescriptor {
        let number = try systemCall { unsafe c_memory_file("replies") }
        let file = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        var written = 0
        while written < bytes.count {
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
            written += try systemCall { unsafe write(number, part.baseAddress, part.count) }
        }
        return file
    }

    /// Sends bytes of the replies, as far as the socket takes them; a negative error number.
    @inline(__always) func send(_ bytes: UnsafeRawBufferPointer, to socket: CInt) -> Int {
        guard let first = bytes.baseAddress else { return 0 }
        let offset = unsafe Int64(first - start)
        let sent = c_sendfile(socket, file.descriptor.rawValue, offset, bytes.count)
        return sent < 0 ? -Int(errno) : sent
    }
}
