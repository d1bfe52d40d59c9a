import CSocketExtras
import Glibc

/// Room for the address of a datagram's sender, as a call leaves it there.
struct NativeAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0

    /// What was left; nil if the sender has no address, such as a unix socket that is not bound.
    var address: SocketAddress? {
        guard length > 0 else { return nil }
        return unsafe withUnsafeBytes(of: storage) {
            // The kernel says how long the address is, not how much of it had room.
            unsafe SocketAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(length))))
        }
    }

    /// Gives a call room, and takes the length that it left.
    mutating func withRoom<Result, Failure: Error>(
        _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        defer { length = size }
        return try unsafe withUnsafeMutablePointer(to: &storage) { (storage) throws(Failure) -> Result in
            try unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { (room) throws(Failure) -> Result in
                try unsafe body(room, &size)
            }
        }
    }
}
