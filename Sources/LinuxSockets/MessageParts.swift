import CSocketExtras
import Glibc
import LinuxDescriptors
import SystemPackage

/// Up to three pieces of memory that one call reads into or writes from (`struct iovec`).
///
/// Unsafe: it points into spans, and must not outlive the call to which they were given.
@unsafe struct MessageParts {
    private var vectors = unsafe (iovec(), iovec(), iovec())
    private var count = 0

    init(_ first: RawSpan, _ second: RawSpan) {
        unsafe vectors.0 = vector(of: first)
        unsafe vectors.1 = vector(of: second)
        unsafe count = 2
    }

    init(_ first: RawSpan, _ second: RawSpan, _ third: RawSpan) {
        unsafe self.init(first, second)
        unsafe vectors.2 = vector(of: third)
        unsafe count = 3
    }

    init(_ first: inout MutableRawSpan, _ second: inout MutableRawSpan) {
        unsafe vectors.0 = vector(of: &first)
        unsafe vectors.1 = vector(of: &second)
        unsafe count = 2
    }

    init(_ first: inout MutableRawSpan, _ second: inout MutableRawSpan, _ third: inout MutableRawSpan) {
        unsafe self.init(&first, &second)
        unsafe vectors.2 = vector(of: &third)
        unsafe count = 3
    }

    /// All of it in bytes.
    var byteCount: Int { unsafe vectors.0.iov_len + vectors.1.iov_len + vectors.2.iov_len }

    /// `recvmsg(2)`; the length that it returned, nil if it would have to wait.
    ///
    /// - Parameter peer: where the sender's address goes, if somebody asks for it.
    mutating func receive(
        from socket: BorrowedDescriptor, _ flags: CInt, peer: UnsafeMutablePointer<NativeAddress>? = nil
    ) throws(Errno) -> Int? {
        let number = socket.rawValue
        return try unsafe withHeader { (header) throws(Errno) -> Int? in
            guard let peer = unsafe peer else {
                return try nonblockingSystemCall { unsafe recvmsg(number, header, flags) }
            }
            let length = try unsafe peer.pointee.withRoom { (room, size) throws(Errno) -> Int? in
                unsafe header.pointee.msg_name = UnsafeMutableRawPointer(room)
                unsafe header.pointee.msg_namelen = size
                let length = try nonblockingSystemCall { unsafe recvmsg(number, header, flags) }
                size = unsafe header.pointee.msg_namelen
                return length
            }
            return length
        }
    }

    /// `sendmsg(2)`, without a `SIGPIPE`; the number of bytes that it took, nil if it would have to wait.
    mutating func send(
        to socket: BorrowedDescriptor, _ flags: CInt, _ address: UnsafePointer<sockaddr>? = nil, _ length: socklen_t = 0
    ) throws(Errno) -> Int? {
        let number = socket.rawValue
        return try unsafe withHeader { (header) throws(Errno) -> Int? in
            unsafe header.pointee.msg_name = UnsafeMutableRawPointer(mutating: address)
            unsafe header.pointee.msg_namelen = length
            return try nonblockingSystemCall { unsafe sendmsg(number, header, flags | CInt(MSG_NOSIGNAL)) }
        }
    }

    private mutating func withHeader(
        _ body: (UnsafeMutablePointer<msghdr>) throws(Errno) -> Int?
    ) throws(Errno) -> Int? {
        let count = unsafe self.count
        return try unsafe withUnsafeMutablePointer(to: &vectors) { (tuple) throws(Errno) -> Int? in
            try unsafe tuple.withMemoryRebound(to: iovec.self, capacity: 3) { (first) throws(Errno) -> Int? in
                var header = unsafe msghdr()
                unsafe header.msg_iov = first
                unsafe header.msg_iovlen = numericCast(count)
                return try unsafe body(&header)
            }
        }
    }
}

/// A span's memory stays where it is for as long as the span is given to a call.
private func vector(of span: RawSpan) -> iovec {
    unsafe span.withUnsafeBytes {
        unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
    }
}

private func vector(of span: inout MutableRawSpan) -> iovec {
    unsafe span.withUnsafeMutableBytes { unsafe iovec(iov_base: $0.baseAddress, iov_len: $0.count) }
}
